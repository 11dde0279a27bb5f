"""Features that were computed once, to batches: the chain of a run that reads no images.

Contract: {'features': float32 [batch, depth]}, int64 [batch] labels.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from library.errors import DataError
from library.inputs.batching import prefetch, prefetch_to_device
from library.inputs.epoch_stream import epochs_in_shares, read_share, seed_of
from library.inputs.options import DataOptions, PipelineOptions
from library.inputs.reading import list_shards
from library.records.feature_manifest import MANIFEST, FeatureManifest, read_manifest
from library.records.features import parse_features


def feature_batches(
    folder: str,
    data: DataOptions,
    pipeline: PipelineOptions,
    *,
    training: bool,
    seed: int,
    first: int,
    batch_size: int,
    has_strategy: bool,
    shares: int,
    share: int | None,
) -> tf.data.Dataset:
    """The batches of one mode: endless and shuffled for training, each image once else.

    Args:
      folder: of the features of one split.
      data, pipeline: how the batches are made.
      training: shuffled, with epoch e reading copy e modulo their number.
      seed: of the order.
      first: how many records were fed before, to all pipelines.
      batch_size: images in a batch.
      has_strategy: a tf.distribute strategy feeds its own replicas.
      shares, share: into how many shares each epoch of training is cut, and which is fed; see
        `epochs_in_shares`.

    Returns:
      ({'features': float32 [batch, depth]}, int64 [batch]) elements.

    Raises:
      ConfigError: there are fewer images than shares.
      DataError: there are no features in the folder.
    """
    manifest = read_manifest(folder, MANIFEST)
    if manifest is None:
        raise DataError(f'{folder}: the features are gone; the same command computes them again')
    if training:
        one_share = _shuffled_share(manifest, data, pipeline, seed, shares)
        stream = epochs_in_shares(one_share, manifest.examples, first, shares, share)
        records = stream.map(lambda number, record: record)
    else:
        records = tf.data.TFRecordDataset(manifest.paths_of_copies[0])
    dataset = records.batch(batch_size, drop_remainder=training)

    # An evaluation of ready features takes a fifth of a second, in which every call that is not
    # traced twice counts.
    @tf.autograph.experimental.do_not_convert
    def parse(batch: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        features, labels = parse_features(batch, manifest.depth)
        return {'features': features}, labels

    # A batch at a time: record by record it would take five times as long.
    dataset = dataset.map(parse)
    dataset = prefetch(dataset, pipeline.prefetch_batches)
    return prefetch_to_device(dataset, pipeline.prefetch_to_device, has_strategy)


def _shuffled_share(
    manifest: FeatureManifest, data: DataOptions, pipeline: PipelineOptions, seed: int, shares: int
) -> Callable[[tf.Tensor, tf.Tensor], tf.data.Dataset]:
    """A share of an epoch by their numbers, each epoch in another order; stored order to debug."""
    paths = tf.constant(manifest.paths_of_copies)
    copies, count = paths.shape

    def one_share(epoch: tf.Tensor, share: tf.Tensor) -> tf.data.Dataset:
        of_copy = tf.gather(paths, epoch % copies)
        if data.debug:
            return tf.data.TFRecordDataset(of_copy).shard(shares, share)
        epoch_seed = seed_of(epoch, seed)
        files = list_shards(of_copy, epoch_seed)
        records = read_share(files, count, pipeline.interleave_files, share, shares)
        return records.shuffle(data.shuffle_buffer, epoch_seed, reshuffle_each_iteration=False)

    return one_share
