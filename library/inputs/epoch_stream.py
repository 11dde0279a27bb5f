"""The records of one epoch to an endless, numbered stream that can start anywhere."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from library.inputs.reading import parallel_interleave
from library.inputs.sharding import check_shares, is_by_file

# No stream gets there; the largest int64 would overflow when tf.data counts.
ENDLESS = 2**62
# No epoch gets there: numbers from here on are free for what an uneven share has too much.
FREE = 2**61


def epochs_in_shares(
    one_share: Callable[[tf.Tensor, tf.Tensor], tf.data.Dataset],
    examples: int,
    first: int,
    shares: int,
    share: int | None = None,
) -> tf.data.Dataset:
    """An endless stream of epochs from any of its examples on, in parts that can be dealt out.

    Each epoch is cut into shares, and one share after the other is a turn. The turns are dealt out
    in one of two ways:

    - A tf.data service deals them to its workers; whoever is done with one gets the next. In a
      program of its own, or with one share, the stream has all epochs in order, and a resumed run
      sees what it would have seen without the stop. With several workers the skipped part is only
      about what was fed: who was how far is not known.
    - Several pipelines train together, and each owns the same share of every epoch. Nobody waits
      for the others: a pipeline whose share ends starts its next epoch. Shares by example differ
      by one at most, and a resumed pipeline goes on exactly after what it was fed, if there are as
      many pipelines as before; else at about the right place. Shares by file differ as their files
      do, but hold other files in each epoch, so no image comes up more often than others in the
      long run; a resumed pipeline, of which it is only known that it was fed as much as the
      others, goes on at about the right place.

    Args:
      one_share: takes the numbers of an epoch and of a share, int64, from 0, and gives the records.
      examples: how many records an epoch has, all shares together.
      first: how many records were fed before, to all pipelines together.
      shares: parts of an epoch.
      share: the one of this pipeline; None is all of them, to be dealt out.

    Returns:
      Pairs of a record's number, the key of everything random that follows, and the record. Shares
      of equal size number their records as one stream would, whoever reads them; no number comes
      twice, whatever their sizes.

    Raises:
      ConfigError: a pipeline would own no example.
    """
    if share is None:
        first_epoch, skipped = divmod(first, examples)
        # Not Dataset.counter: each worker of a service would count anew instead of being dealt to.
        turns = tf.data.Dataset.range(first_epoch * shares, ENDLESS)
    else:
        check_shares(examples, shares)
        first_epoch, fed = divmod(_part(first, shares, share), _part(examples, shares, share))
        # So many examples of an epoch have as many of this share among them as were fed of it.
        skipped = fed * shares + share
        turns = tf.data.Dataset.range(first_epoch * shares + share, ENDLESS, shares)

    # A graph is made for each evaluation and start: what need not be converted is not.
    @tf.autograph.experimental.do_not_convert
    def share_of_epoch(turn: tf.Tensor) -> tf.data.Dataset:
        # The order must follow from the epoch alone, and not from what the program's seed was when
        # this was called; and tf.data cannot take a tensor as seed where that one is 0.
        tf.compat.v1.set_random_seed(1)
        epoch, number = turn // shares, turn % shares
        fed_before = tf.where(tf.equal(epoch, first_epoch), _part(skipped, shares, number), 0)
        records = tf.data.Dataset.zip((_numbers(turn, examples, shares), one_share(epoch, number)))
        # Here and not at the end of the stream, where every worker would skip all of it.
        return records.skip(fed_before)

    return turns.flat_map(share_of_epoch)


def _part(count: int, shares: int, share: int | tf.Tensor) -> int | tf.Tensor:
    """How many of the first `count` examples are in a share, if each n-th of them is."""
    return (count - share + shares - 1) // shares


def _numbers(turn: tf.Tensor, examples: int, shares: int) -> tf.data.Dataset:
    """Numbers for at least all examples of an epoch, none of which another turn has."""
    epoch, share = turn // shares, turn % shares
    usual = tf.data.Dataset.range(epoch * examples + share, (epoch + 1) * examples, shares)
    return usual.concatenate(tf.data.Dataset.range(FREE + turn * examples, ENDLESS))


def read_share(
    files: tf.data.Dataset, count: int, files_at_once: int, share: tf.Tensor, shares: int
) -> tf.data.Dataset:
    """Records of one share of some files: of every n-th file, or every n-th record of all files.

    Args:
      files: string scalars, as `list_shards` gives them; in the same order for all shares.
      count: how many files these are; with many each is read by one worker only.
      files_at_once: as for `parallel_interleave`; the same for all shares.
      share: which part, from 0; int64.
      shares: into how many parts the files are cut.
    """
    if is_by_file(count, shares):
        return parallel_interleave(files.shard(shares, share), files_at_once)
    return parallel_interleave(files, files_at_once).shard(shares, share)


def seed_of(epoch: tf.Tensor, seed: int) -> tf.Tensor:
    """The seed of an epoch's order, int64: another for each epoch and each seed of a run."""
    return epoch * 2**31 + seed


def numbered(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Pairs each element with its number from 0, as `epochs_in_shares` does."""
    return tf.data.Dataset.zip((tf.data.Dataset.range(ENDLESS), dataset))
