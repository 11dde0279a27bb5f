"""Open a checkpoint, and check that all of it can be read."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def open_checkpoint(checkpoint: str) -> Any:
    """Open a reader of the checkpoint with this path, without ending.

    tf.train.load_checkpoint takes the path for a folder in ram://, where each prefix is one.
    """
    return tf.compat.v1.train.NewCheckpointReader(checkpoint)


def is_readable(checkpoint: str) -> bool:
    """Return whether each value of the checkpoint can be read, and has the checksum as written."""
    try:
        reader = open_checkpoint(checkpoint)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    # IndexError is what the reader makes of OutOfRangeError, a file that ends too early.
    except (tf.errors.OpError, ValueError, RuntimeError, IndexError):
        return False
    return True
