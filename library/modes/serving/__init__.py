"""Ask a trained model for predictions: a checkpoint, or what was exported."""
