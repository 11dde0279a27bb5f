"""Turn a checkpoint into numbered versions of exported models, each checked before that."""
