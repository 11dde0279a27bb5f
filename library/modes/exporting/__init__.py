"""A checkpoint to numbered versions of exported models, each tried before it gets its number."""
