"""Records to batches: the links of the tf.data chain that project/input_fn.py puts together."""
