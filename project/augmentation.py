"""One image to the same image, flipped and coloured at random.

Contract: an image is float32 [height, width, 3] of 0 to 255, RGB, its size known when the graph is
built. Draws are float32, uniform in [0, 1): the same draws change an image in the same way. One
image at a time stays in the processor's cache, where a batch of floats would travel to memory and
back with every step.
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from library.inputs.decoding import HALF, to_bytes
from library.inputs.options import ImageOptions

# Weights of red, green and blue in brightness: ITU-R BT.601, as in JPEG itself.
LUMA = (0.299, 0.587, 0.114)
# How many draws `augment` takes: of both flips, brightness, contrast and saturation.
AUGMENT_DRAWS = 5


def augment(image: tf.Tensor, options: ImageOptions, draws: tf.Tensor) -> tf.Tensor:
    """Applies every random change that is switched on, except the crop (see decoding.py).

    Args:
      image: as above.
      options: what is switched on, and how strong.
      draws: [AUGMENT_DRAWS]; each change has its own, whatever else is on.

    Returns:
      uint8 [height, width, 3].
    """
    if options.random_flip:
        image = random_flip(image, draws[0], axis=1)
    if options.random_flip_vertical:
        image = random_flip(image, draws[1], axis=0)
    strengths = (options.random_brightness, options.random_contrast, options.random_saturation)
    return random_color(image, strengths, draws[2:]) if any(strengths) else to_bytes(image)


def random_flip(image: tf.Tensor, draw: tf.Tensor, axis: int) -> tf.Tensor:
    """Reverses `axis` (1 is left to right, 0 upside down) if the draw is under a half."""
    return tf.cond(draw < 0.5, lambda: tf.reverse(image, [axis]), lambda: image)


def random_color(
    image: tf.Tensor, strengths: tuple[float, float, float], draws: tf.Tensor
) -> tf.Tensor:
    """Changes brightness, contrast and saturation.

    Saturation blends each pixel with its grey, contrast with the image's mean grey; brightness
    adds a constant. Together: contrast * (saturation * pixel + (1 - saturation) * grey)
    + (1 - contrast) * mean + brightness.

    Args:
      image: as above.
      strengths: of brightness, contrast and saturation; s draws from [-s, s], and 0 is off.
      draws: [3], one for each.

    Returns:
      uint8 [height, width, 3]; values that leave the range are cut to it.
    """
    changes = (0.0, 1.0, 1.0) + strengths * (2.0 * draws - 1.0)
    brightness, contrast, saturation = tf.unstack(changes)
    red, green, blue = tf.unstack(image, axis=-1)
    grey = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
    constant = (1.0 - contrast) * tf.reduce_mean(grey) + 255.0 * brightness
    # What the three channels of a pixel share is put together first, on a third of the values.
    own = contrast * saturation
    shared = (contrast - own) * grey + (constant + HALF)
    changed = own * image + _to_channels(shared)
    return tf.cast(tf.clip_by_value(changed, 0.0, 255.0), tf.uint8)


def _to_channels(plane: tf.Tensor) -> tf.Tensor:
    """Repeats each value three times: [height, width] to [height, width, 3].

    It multiplies a few pixels at once by ones, because TensorFlow's own broadcast along so short
    an axis takes six times as long.
    """
    height, width = plane.shape
    pixels = math.gcd(height * width, 4)
    ones = np.repeat(np.eye(pixels, dtype=np.float32), 3, axis=1)
    return tf.reshape(tf.reshape(plane, [-1, pixels]) @ ones, [height, width, 3])
