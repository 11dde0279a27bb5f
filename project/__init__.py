"""Hold what a clone makes its own: options, input_fn, model_fn, models."""
