"""Change training images at random: a class each, and one line in AUGMENTATIONS at the end.

Fields are options: flags, and keys of hyperparameters.yaml. Images are changed one at
a time, because one image fits in the processor's cache and a batch of floats does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from etils import epy

from library.config.fields import HYPERPARAMETERS, Options, option
from library.config.hparams import HParams
from library.inputs.augmentation import Augmentation
from library.inputs.decoding import HALF, to_bytes

with epy.lazy_imports():
    import numpy as np
    import tensorflow as tf

# Weights of red, green and blue in brightness: ITU-R BT.601, as in JPEG itself.
LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class RandomCrop(Options, group='augmentation', home=HYPERPARAMETERS):
    """Cut out a part; input_fn does this first, while decoding, so that only it is decoded."""

    random_crop: bool = option(
        True,
        'Cut a random part of each training image: about a square with fit crop, otherwise about '
        'of its shape, which pad keeps exactly.',
        changes_images=True,
    )
    random_crop_min_area: float = option(
        0.5,
        'Smallest part of its area that a random crop keeps.',
        above=0,
        high=1,
        changes_images=True,
    )


@dataclass(frozen=True)
class RandomFlip(Augmentation):
    """Mirror left to right."""

    random_flip: bool = option(
        True, 'Mirror half of the training images left to right.', changes_images=True
    )

    def change(self, image: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Mirror the image if its draw is below one half; see Augmentation.change."""
        return flipped(image, draws[0], axis=1)


@dataclass(frozen=True)
class RandomFlipVertical(Augmentation):
    """Mirror upside down."""

    random_flip_vertical: bool = option(
        False, 'Mirror half of the training images upside down.', changes_images=True
    )

    def change(self, image: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Mirror the image if its draw is below one half; see Augmentation.change."""
        return flipped(image, draws[0], axis=0)


@dataclass(frozen=True)
class RandomColor(Augmentation):
    """Change brightness, contrast and saturation, all in one pass over the pixels.

    Saturation blends each pixel with its grey, contrast with the image's mean grey; brightness
    adds a constant. Together: contrast * (saturation * pixel + (1 - saturation) * grey)
    + (1 - contrast) * mean + brightness.
    """

    random_brightness: float = option(
        0.1, 'Largest random change of brightness; 0 is off.', low=0, high=1, changes_images=True
    )
    random_contrast: float = option(
        0.1,
        'Largest random change of contrast, as a factor off 1; 0 is off.',
        low=0,
        below=1,
        changes_images=True,
    )
    random_saturation: float = option(
        0.1,
        'Largest random change of saturation, as a factor off 1; 0 is off.',
        low=0,
        below=1,
        changes_images=True,
    )

    draws = 3

    def change(self, image: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Change the colours, and round to uint8; see Augmentation.change."""
        strengths = (self.random_brightness, self.random_contrast, self.random_saturation)
        changes = (0.0, 1.0, 1.0) + strengths * (2.0 * draws - 1.0)
        brightness, contrast, saturation = tf.unstack(changes)
        red, green, blue = tf.unstack(image, axis=-1)
        grey = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
        constant = (1.0 - contrast) * tf.reduce_mean(grey) + 255.0 * brightness
        # What the three channels of a pixel share comes first, on a third of the values.
        own = contrast * saturation
        shared = (contrast - own) * grey + (constant + HALF)
        changed = own * image + _to_channels(shared)
        return tf.cast(tf.clip_by_value(changed, 0.0, 255.0), tf.uint8)


def flipped(image: tf.Tensor, draw: tf.Tensor, axis: int) -> tf.Tensor:
    """Reverse `axis` (1 is left to right, 0 upside down) if the draw is below one half."""
    return tf.cond(draw < 0.5, lambda: tf.reverse(image, [axis]), lambda: image)


def _to_channels(plane: tf.Tensor) -> tf.Tensor:
    """Repeat each value three times: [height, width] to [height, width, 3].

    It multiplies a few pixels at once by ones, because TensorFlow's own broadcast along so short
    an axis takes six times as long.
    """
    height, width = plane.shape
    pixels = math.gcd(height * width, 4)
    ones = np.repeat(np.eye(pixels, dtype=np.float32), 3, axis=1)
    return tf.reshape(tf.reshape(plane, [-1, pixels]) @ ones, [height, width, 3])


# In the order in which they are applied. Add yours at the end: the draws of the others stay.
AUGMENTATIONS: dict[str, type[Augmentation]] = {
    'flip': RandomFlip,
    'flip_vertical': RandomFlipVertical,
    'color': RandomColor,
}
# How many draws `augment` takes.
AUGMENT_DRAWS = sum(kind.draws for kind in AUGMENTATIONS.values())


def augment(image: tf.Tensor, params: HParams, draws: tf.Tensor) -> tf.Tensor:
    """Apply every random change that is switched on, except the crop.

    Args:
      image: float32 [height, width, 3] of 0 to 255, RGB, its size known when the graph is built.
      params: the run's HParams.
      draws: float32 [AUGMENT_DRAWS], uniform in [0, 1); each change has its own, whatever else is
        on.

    Returns:
      uint8 [height, width, 3].
    """
    augmentations = [params.take(kind) for kind in AUGMENTATIONS.values()]
    parts = tf.split(draws, [each.draws for each in augmentations])
    for each, own_draws in zip(augmentations, parts, strict=True):
        if each.is_on:
            image = each.change(tf.cast(image, tf.float32), own_draws)
    return image if image.dtype == tf.uint8 else to_bytes(image)
