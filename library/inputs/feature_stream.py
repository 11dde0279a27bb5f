"""Read features that were computed once: the chain of a run that reads no images.

Contract: {'features': float32 [batch, depth]}, int64 [batch] labels.
"""

from __future__ import annotations

import tensorflow as tf

from library.config.hparams import HParams
from library.errors import DataError
from library.inputs.epoch_stream import epoch_seed, read_shard, repeat_epochs
from library.inputs.sharding import InputShard
from library.records.feature_manifest import MANIFEST, read_manifest
from library.records.features import parse_features


def feature_batches(
    folder: str, params: HParams, shard: InputShard, training: bool
) -> tf.data.Dataset:
    """Make the batches of one mode: endless and shuffled for training, otherwise each image once.

    Args:
      folder: of the features of one split.
      params: the run's HParams.
      shard: which images this process feeds, and in which batches.
      training: shuffled, with epoch e reading copy e modulo their number.

    Returns:
      ({'features': float32 [batch, depth]}, int64 [batch]) elements.

    Raises:
      ConfigError: there are fewer images than shards.
      DataError: there are no features in the folder.
    """
    manifest = read_manifest(folder, MANIFEST)
    if manifest is None:
        raise DataError(f'{folder}: the features are gone; the same command computes them again')
    paths = tf.constant(manifest.paths_of_copies)

    def one_epoch(epoch: tf.Tensor, shard_index: tf.Tensor) -> tf.data.Dataset:
        of_copy = tf.gather(paths, epoch % paths.shape[0])
        if params.debug:
            return tf.data.TFRecordDataset(of_copy).shard(shard.shards, shard_index)
        seed = epoch_seed(epoch, params.random_seed)
        records = read_shard(of_copy, seed, params.interleave_files, shard_index, shard.shards)
        return records.shuffle(params.shuffle_buffer, seed, reshuffle_each_iteration=False)

    if training:
        numbered = repeat_epochs(one_epoch, manifest.examples, shard)
        records = numbered.map(lambda number, record: record)
    else:
        records = tf.data.TFRecordDataset(manifest.paths_of_copies[0])
    dataset = records.batch(shard.batch_size, drop_remainder=training)

    # An evaluation of ready features takes a fifth of a second, in which every call that is not
    # traced twice counts.
    @tf.autograph.experimental.do_not_convert
    def parse(batch: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        features, labels = parse_features(batch, manifest.depth)
        return {'features': features}, labels

    # A batch at a time: record by record it would take five times as long.
    return dataset.map(parse)
