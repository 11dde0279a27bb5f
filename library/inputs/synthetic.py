"""Make batches of noise: a run without disk and decoding, to measure the rest."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True)
class SyntheticImages:
    """How much noise there is.

    Attributes:
      class_names: in the order of their labels.
      examples: images to an epoch.
      folder: a name for messages.
      label_counts: nobody counts them.
    """

    class_names: tuple[str, ...]
    examples: int
    folder: str = 'synthetic data'
    label_counts: tuple[int, ...] = ()


def synthetic_batches(
    data: SyntheticImages, batch_size: int, image_size: int, training: bool
) -> tf.data.Dataset:
    """Repeat one batch: endlessly for training, otherwise an epoch of whole examples.

    Args:
      data: how many classes and images.
      batch_size: images in a batch; the last one of an epoch may be smaller.
      image_size: edge of the images in pixels.
      training: endless or not.

    Returns:
      ({'image': uint8 [batch, size, size, 3]}, int64 [batch]) elements, all of one drawing.
    """
    images = tf.random.stateless_uniform(
        [batch_size, image_size, image_size, 3], [0, 0], 0, 256, tf.int32
    )
    labels = tf.range(batch_size, dtype=tf.int64) % len(data.class_names)
    batch = tf.data.Dataset.from_tensors(({'image': tf.cast(images, tf.uint8)}, labels)).cache()
    if training:
        return batch.repeat()
    whole, rest = divmod(data.examples, batch_size)
    last = batch.map(lambda images, labels: ({'image': images['image'][:rest]}, labels[:rest]))
    return batch.repeat(whole).concatenate(last) if rest else batch.repeat(whole)
