"""Shard files to a stream of serialized records."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

# Records taken from one file before the next file's turn: few enough that neighbours come from
# several files, enough that reads stay sequential.
BLOCK = 16


def list_shards(paths: Sequence[str], shuffle_seed: tf.Tensor | int | None) -> tf.data.Dataset:
    """File paths as string scalars, in the given order or in that of a seed."""
    dataset = tf.data.Dataset.from_tensor_slices(list(paths))
    if shuffle_seed is not None:
        dataset = dataset.shuffle(len(paths), seed=shuffle_seed, reshuffle_each_iteration=False)
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


def epoch_after_epoch(
    one_epoch: Callable[[tf.Tensor], tf.data.Dataset], examples: int, first: int
) -> tf.data.Dataset:
    """An endless stream of epochs from any of its examples on.

    A resumed run starts where it was, and sees what it would have seen without the stop: every
    epoch follows from its number alone. Skipping costs the reading of records, not their decoding.

    Args:
      one_epoch: takes the epoch's number from 0, int64, and gives its records.
      examples: how many records an epoch has.
      first: how many records were fed before.
    """

    def seeded_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        # The order must follow from the epoch alone, and not from what the program's seed was when
        # this was called; and tf.data cannot take a tensor as seed where that one is 0.
        tf.compat.v1.set_random_seed(1)
        return one_epoch(epoch)

    epoch, skipped = divmod(first, examples)
    return tf.data.Dataset.counter(start=epoch).flat_map(seeded_epoch).skip(skipped)


def numbered(dataset: tf.data.Dataset, first: int = 0) -> tf.data.Dataset:
    """Pairs each element with its number, the key of everything random that follows."""
    return tf.data.Dataset.zip((tf.data.Dataset.counter(start=first), dataset))
