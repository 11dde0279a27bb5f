"""Converted images to batches, as one chain in the order in which it runs.

Contract: {'image': uint8 [batch, size, size, 3]}, int64 [batch] labels. A run whose features were
computed before gets those instead (feature_stream.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from library.checkpoints.newest import newest_step
from library.config.hparams import HParams
from library.inputs import feature_stream
from library.inputs.batching import images_per_replica, prefetch, prefetch_to_device
from library.inputs.decoding import (
    WINDOW_DRAWS,
    center_window,
    decode_and_crop,
    random_window,
    to_bytes,
)
from library.inputs.epoch_stream import epochs_in_shares, numbered
from library.inputs.image_stream import read_jpeg, shuffled_share, stored_order
from library.inputs.open_data import open_data
from library.inputs.options import DataOptions, PipelineOptions
from library.inputs.service import count_workers, distribute_to_service
from library.inputs.service_job import job_name
from library.inputs.synthetic import SyntheticImages, synthetic_batches
from project.augmentation import AUGMENT_DRAWS, augment

# Images in work for each core. tf.data alone stops at one, and a core then waits while the image
# that it has finished stands in line: a tenth of the time with two cores.
CALLS_PER_CORE = 4


def input_fn(
    mode: str, params: HParams, input_context: tf.distribute.InputContext | None = None
) -> tf.data.Dataset:
    """The batches of one mode: endless and shuffled for training, each image once else.

    Args:
      mode: a tf.estimator.ModeKeys.
      params: the run's HParams.
      input_context: while several devices or processes train: which share of each epoch this
        process reads, and into how many parts a batch is divided. Evaluation always sees all.

    Returns:
      ({'image': uint8 [batch, size, size, 3]}, int64 [batch]) elements; for a run on features
      ({'features': float32 [batch, depth]}, int64 [batch]).
    """
    data, pipeline = params.take(DataOptions), params.take(PipelineOptions)
    training = mode == tf.estimator.ModeKeys.TRAIN
    context = input_context if training else None
    global_batch = data.images_per_batch(training)
    batch_size = images_per_replica(global_batch, context)
    # Random operations are keyed by numbers, so they give the same in whatever order the parallel
    # calls run; a resumed run goes on counting, and goes on in the data, where it was.
    first = newest_step(params.model_dir) * global_batch if training else 0
    has_strategy = context is not None
    if folder := params.train_features if training else params.eval_features:
        shares, share = _shares(context, service=None)
        return feature_stream.feature_batches(
            folder,
            data,
            pipeline,
            training=training,
            seed=params.random_seed,
            first=first,
            batch_size=batch_size,
            has_strategy=has_strategy,
            shares=shares,
            share=share,
        )
    source = open_data(params, training)
    if isinstance(source, SyntheticImages):
        noise = synthetic_batches(source, batch_size, params.image_size, training)
        return _to_device(noise, pipeline, has_strategy)
    service = data.data_service if training else None
    if training:
        shares, share = _shares(context, service)
        one_share = shuffled_share(source, data, pipeline, params.random_seed, shares)
        # Before batching: batches are full, and an epoch ends inside one.
        dataset = epochs_in_shares(one_share, source.examples, first, shares, share)
    else:
        dataset = numbered(stored_order(source))
    augmented = training and params.augmentation
    decode = _decoder(read_jpeg(source), params, augmented)
    calls = pipeline.num_parallel_calls or _calls(elsewhere=bool(service))
    dataset = dataset.map(decode, num_parallel_calls=calls, deterministic=True)
    dataset = dataset.batch(batch_size, drop_remainder=training)
    if service:
        several = context is not None and context.num_input_pipelines > 1
        job = job_name(params.model_dir) if several else None
        dataset = distribute_to_service(dataset, service, job)
    return _to_device(dataset, pipeline, has_strategy)


def stored_images(
    params: HParams, training: bool, augmented: bool, first: int = 0
) -> tf.data.Dataset:
    """Each image of a split once, in stored order, as the model sees it.

    Args:
      params: the run's HParams; the split must be converted.
      training: the training images; else those of evaluation.
      augmented: with the random changes of training. Image i of copy c of the split is changed as
        epoch c of the stored order would change it: by its number, c * (images) + i.
      first: number to start from; the stream ends with the copy in which that lies.

    Returns:
      ({'image': uint8 [batch, size, size, 3]}, int64 [batch]) elements, in evaluation's batches.
    """
    source = open_data(params, training)
    decode = _decoder(read_jpeg(source), params, augmented)
    skipped = first % source.examples
    images = stored_order(source, skipped)
    numbers = tf.data.Dataset.range(first, first - skipped + source.examples)
    dataset = tf.data.Dataset.zip((numbers, images))
    calls = params.num_parallel_calls or _calls(elsewhere=False)
    dataset = dataset.map(decode, num_parallel_calls=calls, deterministic=True)
    dataset = dataset.batch(params.take(DataOptions).images_per_batch(training=False))
    dataset = dataset.map(lambda images, labels: ({'image': images}, labels))
    return prefetch(dataset, params.prefetch_batches)


def _shares(
    context: tf.distribute.InputContext | None, service: str | None
) -> tuple[int, int | None]:
    """Into how many shares each epoch is cut, and which is this process's, for `epochs_in_shares`.

    A service deals its shares out to its own workers, for all processes.
    """
    if service:
        return count_workers(service), None
    return (context.num_input_pipelines, context.input_pipeline_id) if context else (1, 0)


def _calls(elsewhere: bool) -> int:
    """How many images to decode at the same time; tf.data decides where cores are not known."""
    return tf.data.AUTOTUNE if elsewhere else CALLS_PER_CORE * (os.cpu_count() or 1)


def _decoder(
    read: Callable[[Any], dict[str, tf.Tensor]],
    params: HParams,
    augmented: bool,
) -> Callable[[tf.Tensor, Any], tuple[tf.Tensor, tf.Tensor]]:
    """An image of the source and its number to pixels of the model's size and a label."""

    # Python decides nothing in it by a tensor's value, and to look for that takes longer than all
    # else in making the chain.
    @tf.autograph.experimental.do_not_convert
    def decode(number: tf.Tensor, element: Any) -> tuple[tf.Tensor, tf.Tensor]:
        example = read(element)
        jpeg = example['jpeg']
        key = tf.stack([tf.constant(params.random_seed, tf.int64), number])
        draws = tf.random.stateless_uniform([WINDOW_DRAWS + AUGMENT_DRAWS], key)
        if augmented and params.random_crop:
            window = random_window(jpeg, params.random_crop_min_area, draws[:WINDOW_DRAWS])
        else:
            window = center_window(tf.io.extract_jpeg_shape(jpeg), params.center_crop)
        pixels = decode_and_crop(jpeg, window, params.image_size)
        image = augment(pixels, params, draws[WINDOW_DRAWS:]) if augmented else to_bytes(pixels)
        return image, example['label']

    return decode


def _to_device(
    dataset: tf.data.Dataset, pipeline: PipelineOptions, has_strategy: bool
) -> tf.data.Dataset:
    """Batches under the names that model_fn knows, ahead of time where they are needed."""
    dataset = dataset.map(lambda images, labels: ({'image': images}, labels))
    dataset = prefetch(dataset, pipeline.prefetch_batches)
    return prefetch_to_device(dataset, pipeline.prefetch_to_device, has_strategy)
