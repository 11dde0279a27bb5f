"""Feed images to the model: one chain of tf.data, in the order in which it runs.

Contract: {'image': uint8 [batch, size, size, 3]}, int64 [batch] labels.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from library.config.hparams import HParams
from library.inputs.batches import parallel_calls, prefetch, prefetch_to_device
from library.inputs.decoding import (
    WINDOW_DRAWS,
    center_window,
    decode_and_crop,
    random_window,
    to_bytes,
)
from library.inputs.epoch_stream import epoch_seed, repeat_epochs
from library.inputs.image_source import ImageSource
from library.inputs.sharding import InputShard
from project.augmentation import AUGMENT_DRAWS, augment


def input_fn(mode: str, params: HParams, images: ImageSource, shard: InputShard) -> tf.data.Dataset:
    """Make the batches of one mode: endless and shuffled for training, otherwise each image once.

    Args:
      mode: a tf.estimator.ModeKeys.
      params: the run's HParams.
      images: the images of a split, still encoded.
      shard: which of them this process feeds, from where on, and in which batches.

    Returns:
      ({'image': uint8 [batch, size, size, 3]}, int64 [batch]) elements.
    """
    training = mode == tf.estimator.ModeKeys.TRAIN

    def one_epoch(epoch: tf.Tensor, shard_index: tf.Tensor) -> tf.data.Dataset:
        seed = epoch_seed(epoch, params.random_seed)
        records = images.epoch(seed, shard_index, shard.shards)
        return records.shuffle(images.shuffle_buffer, seed, reshuffle_each_iteration=False)

    # Nothing here branches on a tensor's value, and AutoGraph's search for such branches would take
    # longer than the rest of building the chain.
    @tf.autograph.experimental.do_not_convert
    def decode_and_augment(
        number: tf.Tensor, record: Any
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        example = images.read(record)
        image = decode(example['jpeg'], number, params, augmented=shard.augments)
        return {'image': image}, example['label']

    if training:
        # Each epoch is shuffled before the next begins, and a resumed run continues inside one.
        dataset = repeat_epochs(one_epoch, images.examples, shard)
    else:
        dataset = images.numbered(shard.first)
    dataset = dataset.map(decode_and_augment, parallel_calls(params, shard), deterministic=True)
    dataset = dataset.batch(shard.batch_size, drop_remainder=training)
    dataset = shard.offload(dataset)
    dataset = prefetch(dataset, params.prefetch_batches)
    return prefetch_to_device(dataset, params.prefetch_to_device, shard.has_strategy)


def decode(jpeg: tf.Tensor, number: tf.Tensor, params: HParams, augmented: bool) -> tf.Tensor:
    """Decode one image, cropped and resized for the model, and augment it.

    Args:
      jpeg: string scalar.
      number: int64 scalar that the random changes follow from, together with the run's seed.
      params: the run's HParams.
      augmented: with the random changes of training; otherwise the central part.

    Returns:
      uint8 [size, size, 3].
    """
    key = tf.stack([tf.constant(params.random_seed, tf.int64), number])
    draws = tf.random.stateless_uniform([WINDOW_DRAWS + AUGMENT_DRAWS], key)
    if augmented and params.random_crop:
        window = random_window(jpeg, params.random_crop_min_area, draws[:WINDOW_DRAWS], params.fit)
    else:
        window = center_window(tf.io.extract_jpeg_shape(jpeg), params.center_crop, params.fit)
    pixels = decode_and_crop(jpeg, window, params.image_size, params.fit)
    return augment(pixels, params, draws[WINDOW_DRAWS:]) if augmented else to_bytes(pixels)
