"""The records of one epoch to an endless, numbered stream that can start anywhere."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from library.inputs.reading import parallel_interleave

# No stream gets there; the largest int64 would overflow when tf.data counts.
ENDLESS = 2**62
# Fewer files than this to a share make uneven shares.
FILES_PER_SHARE = 4


def epochs_in_shares(
    one_share: Callable[[tf.Tensor, tf.Tensor], tf.data.Dataset],
    examples: int,
    first: int,
    shares: int,
) -> tf.data.Dataset:
    """An endless stream of epochs from any of its examples on, in parts that can be dealt out.

    Each epoch is cut into shares; a worker that is done with one is dealt the next. In a program
    of its own, or with one share, the stream has all epochs in order, and a resumed run sees what
    it would have seen without the stop. With several workers the skipped part is only about what
    was fed: who was how far is not known.

    Args:
      one_share: takes the numbers of an epoch and of a share, int64, from 0, and gives the records.
      examples: how many records an epoch has, all shares together.
      first: how many records were fed before.
      shares: parts of an epoch.

    Returns:
      Pairs of a record's number, the key of everything random that follows, and the record. Shares
      of equal size number their records as one stream would, whoever reads them.
    """
    first_epoch, skipped = divmod(first, examples)

    # A graph is made for each evaluation and start: what need not be converted is not.
    @tf.autograph.experimental.do_not_convert
    def share_of_epoch(turn: tf.Tensor) -> tf.data.Dataset:
        # The order must follow from the epoch alone, and not from what the program's seed was when
        # this was called; and tf.data cannot take a tensor as seed where that one is 0.
        tf.compat.v1.set_random_seed(1)
        epoch, share = turn // shares, turn % shares
        numbers = tf.data.Dataset.range(epoch * examples + share, ENDLESS, shares)
        # Here and not at the end of the stream, where every worker would skip all of it.
        left_out = (skipped - share + shares - 1) // shares
        fed_before = tf.where(tf.equal(epoch, first_epoch), left_out, 0)
        return tf.data.Dataset.zip((numbers, one_share(epoch, share))).skip(fed_before)

    # Not Dataset.counter: each worker of a service would count anew instead of being dealt to.
    turns = tf.data.Dataset.range(first_epoch * shares, ENDLESS)
    return turns.flat_map(share_of_epoch)


def read_share(
    files: tf.data.Dataset, count: int, files_at_once: int, share: tf.Tensor, shares: int
) -> tf.data.Dataset:
    """Records of one share of some files: of every n-th file, or every n-th record of all files.

    Args:
      files: string scalars, as `list_shards` gives them.
      count: how many files these are; with many each is read by one worker only.
      files_at_once: as for `parallel_interleave`.
      share: which part, from 0; int64.
      shares: into how many parts the files are cut.
    """
    if count >= FILES_PER_SHARE * shares:
        return parallel_interleave(files.shard(shares, share), files_at_once)
    return parallel_interleave(files, files_at_once).shard(shares, share)


def seed_of(epoch: tf.Tensor, seed: int) -> tf.Tensor:
    """The seed of an epoch's order, int64: another for each epoch and each seed of a run."""
    return epoch * 2**31 + seed


def numbered(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Pairs each element with its number from 0, as `epochs_in_shares` does."""
    return tf.data.Dataset.zip((tf.data.Dataset.range(ENDLESS), dataset))
