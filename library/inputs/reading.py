"""Shard files to a stream of serialized records."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

# Records taken from one file before the next file's turn: few enough that neighbours come from
# several files, enough that reads stay sequential.
BLOCK = 16


def list_shards(
    paths: Sequence[str] | tf.Tensor, shuffle_seed: tf.Tensor | int | None
) -> tf.data.Dataset:
    """File paths as string scalars, in the given order or in that of a seed."""
    paths = tf.convert_to_tensor(paths)
    dataset = tf.data.Dataset.from_tensor_slices(paths)
    if shuffle_seed is not None:
        dataset = dataset.shuffle(paths.shape[0], seed=shuffle_seed, reshuffle_each_iteration=False)
    return dataset


def parallel_interleave(files: tf.data.Dataset, files_at_once: int) -> tf.data.Dataset:
    """Records of several files in turns, read in parallel, in an order that repeats.

    This is the successor that tf.data.experimental.parallel_interleave itself names.

    Args:
      files: string scalars, as `list_shards` gives them.
      files_at_once: 1 reads file after file.

    Returns:
      Serialized records, string scalars.
    """
    return files.interleave(
        tf.data.TFRecordDataset,
        cycle_length=files_at_once,
        block_length=BLOCK,
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
