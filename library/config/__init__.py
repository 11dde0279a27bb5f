"""Read YAML sets and the command line into HParams. Imports no TensorFlow."""
