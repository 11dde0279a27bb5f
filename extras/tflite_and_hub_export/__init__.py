"""Export TFLite models and TF-Hub modules beside a SavedModel."""
