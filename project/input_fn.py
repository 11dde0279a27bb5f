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
from library.inputs.reading import epoch_after_epoch, list_shards, numbered, parallel_interleave
from library.records.example import parse_example
from library.records.manifest import open_split
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

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        if not shuffled:
            return parallel_interleave(list_shards(split.shard_paths, None), files_at_once=1)
        # Reading several shards in turns mixes them.
        epoch_seed = epoch * 2**31 + seed
        records = list_shards(split.shard_paths, epoch_seed)
        records = parallel_interleave(records, pipeline.interleave_files)
        # Before decoding, so that the buffer holds JPEGs: a tenth of their pixels.
        return records.shuffle(data.shuffle_buffer, epoch_seed, reshuffle_each_iteration=False)

    if training:
        # Before batching: batches are full, and an epoch ends inside one.
        steps = newest_step(params.model_dir)
        dataset = epoch_after_epoch(one_epoch, split.examples, first=steps * batch_size)
    else:
        steps = 0
        dataset = one_epoch(tf.constant(0, tf.int64))
    # Random operations are keyed by the record's number, so they repeat in whatever order the
    # parallel calls run.
    dataset = numbered(dataset, first=steps * batch_size)
    dataset = dataset.map(decode, num_parallel_calls=parallel, deterministic=True)
    dataset = dataset.batch(batch_size, drop_remainder=training)
    if augmented:
        dataset = numbered(dataset, first=steps)
        dataset = dataset.map(augment_batch, num_parallel_calls=parallel, deterministic=True)
    dataset = dataset.map(lambda images, labels: ({'image': images}, labels))
    dataset = dataset.prefetch(pipeline.prefetch_batches or tf.data.AUTOTUNE)
    return prefetch_to_device(dataset, pipeline.prefetch_to_device, input_context is not None)
