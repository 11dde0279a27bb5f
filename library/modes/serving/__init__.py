"""A trained model to answers: from a checkpoint, or as it was exported."""
