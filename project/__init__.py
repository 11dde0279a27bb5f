"""The part of the scaffold that a clone makes its own: options, input_fn, model_fn, models."""
