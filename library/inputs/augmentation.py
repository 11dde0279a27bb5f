"""Batches of images to batches with random flips and colours.

Contract: images are uint8 [batch, height, width, 3] in and out; a seed is int64 [2], and the same
seed changes the images in the same way. Each image draws for itself. Working on whole batches
costs a few large operations instead of many small ones per image.
"""

from __future__ import annotations

import tensorflow as tf

from library.inputs.options import ImageOptions

# Weights of red, green and blue in brightness: ITU-R BT.601, as in JPEG itself.
LUMA = (0.299, 0.587, 0.114)


def augment(images: tf.Tensor, options: ImageOptions, seed: tf.Tensor) -> tf.Tensor:
    """Applies every random change that is switched on, except the crop (see decoding.py)."""
    flip_seed, vertical_seed, color_seed = tf.unstack(
        tf.random.experimental.stateless_split(seed, 3)
    )
    if options.random_flip:
        images = random_flip(images, flip_seed, axis=2)
    if options.random_flip_vertical:
        images = random_flip(images, vertical_seed, axis=1)
    strengths = (options.random_brightness, options.random_contrast, options.random_saturation)
    return random_color(images, *strengths, seed=color_seed) if any(strengths) else images


def random_flip(images: tf.Tensor, seed: tf.Tensor, axis: int) -> tf.Tensor:
    """Reverses `axis` (2 is left to right, 1 upside down) of about half of the images."""
    chosen = tf.random.stateless_uniform([tf.shape(images)[0]], seed) < 0.5
    # With one condition per image this copies whole images; tf.where would compare every byte.
    return tf.compat.v1.where(chosen, tf.reverse(images, [axis]), images)


def random_color(
    images: tf.Tensor, brightness: float, contrast: float, saturation: float, *, seed: tf.Tensor
) -> tf.Tensor:
    """Changes colours by one affine map per image.

    Saturation blends with each pixel's grey, contrast with the image's mean grey, brightness adds
    a constant; a strength s draws from [-s, s], and 0 leaves that property alone. All three
    together are one 3x3 matrix and one offset, so the pixels are passed over once.
    """
    count = tf.shape(images)[0]
    draws = tf.random.stateless_uniform([3, count, 1, 1], seed, -1.0, 1.0)
    offset = draws[0] * brightness * 255.0
    contrast_factor = 1.0 + draws[1] * contrast
    saturation_factor = 1.0 + draws[2] * saturation

    pixels = tf.cast(images, tf.float32)
    flat = tf.reshape(pixels, [count, -1, 3])
    luma = tf.constant(LUMA, shape=[3, 1])
    to_grey = tf.tile(luma, [1, 3])
    matrix = contrast_factor * (saturation_factor * tf.eye(3) + (1.0 - saturation_factor) * to_grey)
    # Every eighth row gives the mean well enough, in an eighth of the time.
    mean = tf.reduce_mean(tf.cast(images[:, ::8], tf.float32), axis=[1, 2])[:, tf.newaxis] @ luma
    # The half makes the cast, which cuts off, round.
    flat = tf.matmul(flat, matrix) + ((1.0 - contrast_factor) * mean + offset + 0.5)
    changed = tf.cast(tf.clip_by_value(flat, 0.0, 255.0), tf.uint8)
    return tf.reshape(changed, tf.shape(images))
