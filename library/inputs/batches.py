"""Choose what feeds a run: its images, features that were computed once, or noise; and prefetch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import tensorflow as tf

from library.checkpoints.newest import newest_step
from library.config.hparams import HParams
from library.cores import count_cores
from library.errors import ConfigError
from library.inputs.feature_stream import feature_batches
from library.inputs.image_source import ImageSource
from library.inputs.options import DataOptions
from library.inputs.sharding import InputShard
from library.inputs.synthetic import SyntheticImages, synthetic_batches

InputFn = Callable[[str, HParams, ImageSource, InputShard], tf.data.Dataset]

# Images in work for each core. tf.data alone stops at one, and a core then waits while the image
# that it has finished stands in line: a tenth of the time with two cores.
CALLS_PER_CORE = 4
# Batches that are ready while one is trained on: one more evens out what a single image may cost.
PREFETCHED = 2


def batches(
    input_fn: InputFn,
    mode: str,
    params: HParams,
    split: Any,
    features: str | None,
    shard: InputShard,
) -> tf.data.Dataset:
    """Make the batches of one mode.

    Args:
      input_fn: the project's chain, from images to batches.
      mode: a tf.estimator.ModeKeys.
      params: the run's HParams.
      split: the images: a Manifest, ExternalRecords, a Listing or SyntheticImages.
      features: the folder of the features to feed instead of images; None feeds images.
      shard: which images this process feeds, and in which batches.
    """
    training = mode == tf.estimator.ModeKeys.TRAIN
    if features:
        dataset = feature_batches(features, params, shard, training)
    elif isinstance(split, SyntheticImages):
        dataset = synthetic_batches(split, shard.batch_size, params.image_size, training)
    else:
        images = ImageSource(split, params.interleave_files, params.shuffle_buffer, params.debug)
        return input_fn(mode, params, images, shard)
    dataset = prefetch(dataset, params.prefetch_batches)
    return prefetch_to_device(dataset, params.prefetch_to_device, shard.has_strategy)


def training_shard(
    params: HParams, context: tf.distribute.InputContext | None, augments: bool
) -> InputShard:
    """Say what this process feeds while training, from where a run goes on.

    Args:
      params: the run's HParams.
      context: while several devices or processes train, which part of each epoch this process
        reads, and how many parts a batch is divided into; None for one device.
      augments: training images are changed at random.
    """
    global_batch = params.take(DataOptions).images_per_batch(training=True)
    return InputShard(
        global_batch // (context.num_replicas_in_sync if context else 1),
        # Random operations are keyed by numbers, so they give the same in whatever order the
        # parallel calls run; a resumed run goes on counting, and goes on in the data, where it was.
        first=newest_step(params.model_dir) * global_batch,
        shards=context.num_input_pipelines if context else 1,
        shard_index=context.input_pipeline_id if context else 0,
        augments=augments,
        has_strategy=context is not None,
    )


def offloaded(
    shard: InputShard, params: HParams, context: tf.distribute.InputContext | None, link: Any
) -> InputShard:
    """Let other machines prepare the training batches.

    Args:
      shard: what this process would feed alone.
      params: the run's HParams.
      context: as for `training_shard`.
      link: an extra's module with shards_of(params), how many parts an epoch is cut into for its
        workers, and distribute(dataset, params, several).
    """
    several = context is not None and context.num_input_pipelines > 1
    return replace(
        shard,
        shards=link.shards_of(params),
        # They are dealt out there, to whoever is done with one.
        shard_index=None,
        offload=lambda dataset: link.distribute(dataset, params, several),
    )


def parallel_calls(params: HParams, shard: InputShard) -> int:
    """Choose how many images are decoded at once; tf.data decides where the cores are unknown."""
    if params.num_parallel_calls:
        return int(params.num_parallel_calls)
    runs_here = shard.shard_index is not None
    return CALLS_PER_CORE * count_cores() if runs_here else tf.data.AUTOTUNE


def prefetch(dataset: tf.data.Dataset, batches: int | None) -> tf.data.Dataset:
    """Keep batches ready, and the chain as it was written: tf.data does not tune it.

    What tunes it is a thread of the iterator's own, which in TensorFlow 2.15 may miss that the
    iterator has ended; the session then waits for it when it closes, for seconds: at the end of
    trainings and evaluations, and after a signal.

    Args:
      dataset: elements are batches. Numbers of parallel calls must be given.
      batches: how many; None is PREFETCHED.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(batches or PREFETCHED).with_options(options)


def prefetch_to_device(
    dataset: tf.data.Dataset, device: str, has_strategy: bool
) -> tf.data.Dataset:
    """Copy batches to a device ahead of time; must be the last link of the chain.

    Args:
      dataset: numeric batches; strings cannot travel to a GPU.
      device: 'auto' is the GPU if there is exactly one and no strategy places the batches;
        'none' leaves them on the host; otherwise a device's name, such as '/gpu:0'.
      has_strategy: a tf.distribute strategy feeds its own replicas.

    Raises:
      ConfigError: there is no device of this name.
    """
    if device == 'auto':
        gpus = tf.config.get_visible_devices('GPU')
        device = '/gpu:0' if len(gpus) == 1 and not has_strategy else 'none'
    if device == 'none' or has_strategy:
        return dataset
    known = {
        f'/{d.device_type.lower()}:{d.name.split(":")[-1]}' for d in tf.config.get_visible_devices()
    }
    if device.lower() not in known:
        raise ConfigError(
            f'--prefetch_to_device: no device {device!r} here '
            f'(there are {", ".join(sorted(known))})'
        )
    return dataset.apply(tf.data.experimental.prefetch_to_device(device))
