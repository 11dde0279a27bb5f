"""Hold hooks of training sessions that work together."""
