"""Read records in an order that repeats: files in turns, shards, and epochs without end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from library.inputs.sharding import InputShard, check_shards, is_by_file

# No stream gets there; the largest int64 would overflow when tf.data counts.
ENDLESS = 2**62
# No epoch gets there: numbers from here on are free for what an uneven shard has too much.
FREE = 2**61
# Records taken from one file before the next file's turn: few enough that neighbours come from
# several files, enough that reads stay sequential.
BLOCK = 16


def repeat_epochs(
    one_epoch: Callable[[tf.Tensor, tf.Tensor], tf.data.Dataset], examples: int, shard: InputShard
) -> tf.data.Dataset:
    """Repeat epochs without end, from any example on: what makes a resumed run exact.

    Each epoch is cut into shards, and the shards of all epochs are numbered, one epoch after the
    other. The numbers are dealt out in one of two ways:

    - A tf.data service deals them to its workers; whoever is done with one gets the next. In a
      program of its own, or with one shard, the stream has all epochs in order, and a resumed run
      sees what it would have seen without the stop. With several workers the skipped part is only
      about what was fed: who was how far is not known.
    - Several pipelines train together, and each owns the same shard of every epoch. Nobody waits
      for the others: a pipeline whose shard ends starts its next epoch. Record-level shards differ
      by at most one image, and a resumed pipeline goes on exactly after what it was fed, if there
      are as many pipelines as before; otherwise at about the right place. File-level shards differ
      as much as the files do, but hold other files in each epoch, so no image comes up more often
      than others in the long run; a resumed pipeline, of which it is only known that it was fed as
      much as the others, goes on at about the right place.

    Args:
      one_epoch: takes the numbers of an epoch and of a shard, int64, from 0, and gives the records.
      examples: how many records an epoch has, all shards together.
      shard: how many records were fed before, how many shards there are, and which is read.

    Returns:
      Pairs of a record's number, the key of everything random that follows, and the record. Shards
      of equal size number their records as one stream would, whoever reads them; no number comes
      twice, whatever their sizes.

    Raises:
      ConfigError: a pipeline would own no example.
    """
    first, shards, index = shard.first, shard.shards, shard.shard_index
    if index is None:
        first_epoch, skipped = divmod(first, examples)
        # Not Dataset.counter: each worker of a service would count anew instead of being dealt to.
        shard_numbers = tf.data.Dataset.range(first_epoch * shards, ENDLESS)
    else:
        check_shards(examples, shards)
        first_epoch, fed = divmod(_part(first, shards, index), _part(examples, shards, index))
        # So many examples of an epoch have as many of this shard among them as were fed of it.
        skipped = fed * shards + index
        shard_numbers = tf.data.Dataset.range(first_epoch * shards + index, ENDLESS, shards)

    # A graph is made for each evaluation and start: what need not be converted is not.
    @tf.autograph.experimental.do_not_convert
    def shard_of_epoch(shard_number: tf.Tensor) -> tf.data.Dataset:
        # The order must follow from the epoch alone, and not from what the program's seed was when
        # this was called; and tf.data cannot take a tensor as seed where that one is 0.
        tf.compat.v1.set_random_seed(1)
        epoch, shard_index = shard_number // shards, shard_number % shards
        fed_before = tf.where(tf.equal(epoch, first_epoch), _part(skipped, shards, shard_index), 0)
        records = tf.data.Dataset.zip(
            (_numbers(shard_number, examples, shards), one_epoch(epoch, shard_index))
        )
        # Here and not at the end of the stream, where every worker would skip all of it.
        return records.skip(fed_before)

    return shard_numbers.flat_map(shard_of_epoch)


def _part(count: int, shards: int, shard_index: int | tf.Tensor) -> int | tf.Tensor:
    """Return how many of the first `count` examples are in a shard, if each n-th of them is."""
    return (count - shard_index + shards - 1) // shards


def _numbers(shard_number: tf.Tensor, examples: int, shards: int) -> tf.data.Dataset:
    """Number at least all examples of an epoch, as no other shard does."""
    epoch, shard_index = shard_number // shards, shard_number % shards
    usual = tf.data.Dataset.range(epoch * examples + shard_index, (epoch + 1) * examples, shards)
    return usual.concatenate(tf.data.Dataset.range(FREE + shard_number * examples, ENDLESS))


def parallel_interleave(files: tf.data.Dataset, files_at_once: int) -> tf.data.Dataset:
    """Read records of several files in turns, in parallel, in an order that repeats.

    This is the successor that tf.data.experimental.parallel_interleave itself names.

    Args:
      files: paths, string scalars.
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


def read_shard(
    paths: Sequence[str] | tf.Tensor,
    seed: tf.Tensor | int,
    files_at_once: int,
    shard_index: tf.Tensor,
    shards: int,
) -> tf.data.Dataset:
    """Read one shard of some files: every n-th file, or every n-th record of all files.

    Args:
      paths: of the files; with many of them each is read by one worker only.
      seed: of the order of the files; the same for all shards.
      files_at_once: as for `parallel_interleave`; the same for all shards.
      shard_index: which part, from 0; int64.
      shards: into how many parts the files are cut.
    """
    paths = tf.convert_to_tensor(paths)
    count = paths.shape[0]
    files = tf.data.Dataset.from_tensor_slices(paths)
    files = files.shuffle(count, seed, reshuffle_each_iteration=False)
    if is_by_file(count, shards):
        return parallel_interleave(files.shard(shards, shard_index), files_at_once)
    return parallel_interleave(files, files_at_once).shard(shards, shard_index)


def epoch_seed(epoch: tf.Tensor, seed: int) -> tf.Tensor:
    """Return the seed of an epoch's order, int64: another for each epoch and each seed of a run."""
    return epoch * 2**31 + seed
