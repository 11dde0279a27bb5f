"""Turn records into batches: the links of the tf.data chain in project/input_fn.py."""
