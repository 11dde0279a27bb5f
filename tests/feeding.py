"""The batches that a run with some options is fed, without a run."""

from __future__ import annotations

import tensorflow as tf

from library.config.hparams import HParams
from library.inputs.batches import batches, training_shard
from library.inputs.open_data import open_data
from library.inputs.options import DataOptions
from library.inputs.sharding import InputShard
from project.input_fn import input_fn
from project.sources import SOURCES

TRAIN, EVAL = tf.estimator.ModeKeys.TRAIN, tf.estimator.ModeKeys.EVAL


def feed(
    params: HParams,
    mode: str,
    context: tf.distribute.InputContext | None = None,
    features: str | None = None,
) -> tf.data.Dataset:
    """What the Estimator is given for one mode."""
    training = mode == TRAIN
    split = None if features else open_data(params, SOURCES, (), training)
    if training:
        shard = training_shard(params, context, params.augmentation)
    else:
        shard = InputShard(params.take(DataOptions).images_per_batch(training=False))
    return batches(input_fn, mode, params, split, features, shard)


def feed_stored(
    params: HParams, training: bool, augmented: bool, first: int = 0
) -> tf.data.Dataset:
    """Each image of a split once, in stored order."""
    size = params.take(DataOptions).images_per_batch(training=False)
    shard = InputShard(size, first, augments=augmented, has_strategy=True)
    return batches(input_fn, EVAL, params, open_data(params, SOURCES, (), training), None, shard)
