"""Converted images to batches, as one chain in the order in which it runs.

Contract: {'image': uint8 [batch, size, size, 3]}, int64 [batch] labels.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from library.config.hparams import HParams
from library.inputs.augmentation import augment
from library.inputs.batching import prefetch_to_device
from library.inputs.decoding import center_window, decode_and_crop, random_window
from library.inputs.options import DataOptions, ImageOptions, PipelineOptions
from library.inputs.reading import epoch_after_epoch, list_shards, numbered, parallel_interleave
from library.records.example import parse_example
from library.records.manifest import Manifest, open_split
from library.runtime.run_folder import newest_step


def input_fn(
    mode: str, params: HParams, input_context: tf.distribute.InputContext | None = None
) -> tf.data.Dataset:
    """The batches of one mode: endless and shuffled for training, each image once else.

    Args:
      mode: a tf.estimator.ModeKeys.
      params: the run's HParams.
      input_context: given by the Estimator under a tf.distribute strategy.

    Returns:
      ({'image': uint8 [batch, size, size, 3]}, int64 [batch]) elements.
    """
    data = params.take(DataOptions)
    pipeline = params.take(PipelineOptions)
    options = params.take(ImageOptions)
    training = mode == tf.estimator.ModeKeys.TRAIN
    augmented = training and options.augmentation
    batch_size = data.images_per_batch(training)
    # Random operations are keyed by numbers, so they give the same in whatever order the parallel
    # calls run; a resumed run goes on counting, and goes on in the data, where it was.
    steps = newest_step(params.model_dir) if training else 0
    split = open_split(data.data_dir, 'train' if training else data.eval_split)
    decode = _decoder(options, params.image_size, params.random_seed, augmented)
    parallel = {
        'num_parallel_calls': pipeline.num_parallel_calls or tf.data.AUTOTUNE,
        'deterministic': True,
    }

    if training:
        # Before batching: batches are full, and an epoch ends inside one.
        dataset = epoch_after_epoch(
            _shuffled_epoch(split, data, pipeline, params.random_seed),
            split.examples,
            first=steps * batch_size,
        )
    else:
        dataset = parallel_interleave(list_shards(split.shard_paths, None), files_at_once=1)
    dataset = numbered(dataset, first=steps * batch_size)
    dataset = dataset.map(decode, **parallel)
    dataset = dataset.batch(batch_size, drop_remainder=training)
    if augmented:
        dataset = numbered(dataset, first=steps)
        dataset = dataset.map(_augmenter(options, params.random_seed), **parallel)
    dataset = dataset.map(lambda images, labels: ({'image': images}, labels))
    dataset = dataset.prefetch(pipeline.prefetch_batches or tf.data.AUTOTUNE)
    return prefetch_to_device(dataset, pipeline.prefetch_to_device, input_context is not None)


def _shuffled_epoch(
    split: Manifest, data: DataOptions, pipeline: PipelineOptions, seed: int
) -> Callable[[tf.Tensor], tf.data.Dataset]:
    """The records of an epoch by its number, each epoch in another order; stored order to debug."""

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        if data.debug:
            return parallel_interleave(list_shards(split.shard_paths, None), files_at_once=1)
        epoch_seed = epoch * 2**31 + seed
        # Reading several shards in turns mixes them.
        records = list_shards(split.shard_paths, epoch_seed)
        records = parallel_interleave(records, pipeline.interleave_files)
        # Before decoding, so that the buffer holds JPEGs: a tenth of their pixels.
        return records.shuffle(data.shuffle_buffer, epoch_seed, reshuffle_each_iteration=False)

    return one_epoch


def _decoder(
    options: ImageOptions, image_size: int, seed: int, augmented: bool
) -> Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """A record and its number to an image of the model's size and its label."""

    def decode(number: tf.Tensor, record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        example = parse_example(record)
        if augmented and options.random_crop:
            key = tf.stack([tf.constant(seed, tf.int64), number])
            window = random_window(example['jpeg'], options.random_crop_min_area, key)
        else:
            window = center_window(example['jpeg'], options.center_crop)
        return decode_and_crop(example['jpeg'], window, image_size), example['label']

    return decode


def _augmenter(
    options: ImageOptions, seed: int
) -> Callable[[tf.Tensor, tuple[tf.Tensor, tf.Tensor]], tuple[tf.Tensor, tf.Tensor]]:
    """A batch and its number to the same batch, its images changed at random."""

    def augment_batch(
        number: tf.Tensor, batch: tuple[tf.Tensor, tf.Tensor]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        images, labels = batch
        # Batches are numbered from -1 downwards: never the key of a single image's crop.
        key = tf.stack([tf.constant(seed, tf.int64), -1 - number])
        return augment(images, options, key), labels

    return augment_batch
