"""Converted images to batches, as one chain in the order in which it runs.

Contract: {'image': uint8 [batch, size, size, 3]}, int64 [batch] labels.
"""

from __future__ import annotations

import tensorflow as tf

from library.config.hparams import HParams
from library.inputs.augmentation import augment
from library.inputs.batching import prefetch_to_device
from library.inputs.decoding import center_window, decode_and_crop, random_window
from library.inputs.options import DataOptions, ImageOptions, PipelineOptions
from library.inputs.reading import list_shards, numbered, parallel_interleave
from library.records.example import parse_example
from library.records.manifest import open_split


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
    image = params.take(ImageOptions)
    training = mode == tf.estimator.ModeKeys.TRAIN
    augmented = training and image.augmentation
    shuffled = training and not data.debug
    seed = params.random_seed
    batch_size = (data.train_batch_size if training else data.eval_batch_size) or data.batch_size
    parallel = pipeline.num_parallel_calls or tf.data.AUTOTUNE
    split = open_split(data.data_dir, 'train' if training else data.eval_split)

    def decode(number: tf.Tensor, record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        example = parse_example(record)
        if augmented and image.random_crop:
            key = tf.stack([tf.constant(seed, tf.int64), number])
            window = random_window(example['jpeg'], image.random_crop_min_area, key)
        else:
            window = center_window(example['jpeg'], image.center_crop)
        return decode_and_crop(example['jpeg'], window, params.image_size), example['label']

    def augment_batch(number: tf.Tensor, batch: tuple[tf.Tensor, tf.Tensor]) -> tuple:
        images, labels = batch
        # Batches are numbered from -1 downwards: never the key of a single image's crop.
        key = tf.stack([tf.constant(seed, tf.int64), -1 - number])
        return augment(images, image, key), labels

    # Reading several shards in turns mixes them; evaluation keeps the stored order.
    dataset = list_shards(split.shard_paths, shuffle_seed=seed if shuffled else None)
    dataset = parallel_interleave(dataset, pipeline.interleave_files if shuffled else 1)
    if shuffled:
        # Before decoding, so that the buffer holds JPEGs: a tenth of their pixels.
        dataset = dataset.shuffle(data.shuffle_buffer, seed=seed)
    if training:
        # Before batching: batches are full, and an epoch ends inside one.
        dataset = dataset.repeat()
    # Random operations are keyed by the record's number, so they repeat in whatever order the
    # parallel calls run.
    dataset = numbered(dataset)
    dataset = dataset.map(decode, num_parallel_calls=parallel, deterministic=True)
    dataset = dataset.batch(batch_size, drop_remainder=training)
    if augmented:
        dataset = numbered(dataset)
        dataset = dataset.map(augment_batch, num_parallel_calls=parallel, deterministic=True)
    dataset = dataset.map(lambda images, labels: ({'image': images}, labels))
    dataset = dataset.prefetch(pipeline.prefetch_batches or tf.data.AUTOTUNE)
    return prefetch_to_device(dataset, pipeline.prefetch_to_device, input_context is not None)
