"""Read text into values: YAML sets and the command line become HParams. Imports no TensorFlow."""
