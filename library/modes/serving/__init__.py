"""A trained model to predictions: from a checkpoint, or as it was exported."""
