"""Decode an image to pixels of the model's size, in one go with its crop.

Only the part of the JPEG that is cut out is decoded. Training and evaluation share this page, so
that they cannot drift apart. Draws are float32, uniform in [0, 1).
"""

from __future__ import annotations

import math

from etils import epy

from library.inputs.options import CROP, PAD

with epy.lazy_imports():
    import tensorflow as tf

# Windows that are drawn are up to a third wider or higher than those of evaluation: 3:4 to 4:3.
ASPECT_RATIO = 4 / 3
# JPEG stores squares of 16 pixels. From the left edge of one on, libjpeg writes pixels straight to
# their place; from elsewhere it copies each row, a seventh of its time. Rows cost nothing.
STEPS = (1.0, 16.0)
# A narrower image would have few such edges to start from, and costs little.
WIDE = 256
# How many draws `random_window` takes: of area, aspect ratio, top and left.
WINDOW_DRAWS = 4
# Makes a cast to integers, which cuts off, round.
HALF = 0.5
# Beside a padded picture. Most modules shift and scale pixels so that about this becomes 0: to them
# the padding is what a convolution itself pads with, and black would be an edge at full contrast.
GREY = 128.0


def decode_and_crop(jpeg: tf.Tensor, window: tf.Tensor, image_size: int, fit: str) -> tf.Tensor:
    """Decode one window of a JPEG and resize it to a square.

    Args:
      jpeg: string scalar.
      window: int32 [4]: top, left, height, width in pixels.
      image_size: edge of the result in pixels.
      fit: 'pad' keeps the window's shape, in the middle of GREY; otherwise it fills the square.

    Returns:
      float32 [image_size, image_size, 3] of 0 to 255, RGB.
    """
    # INTEGER_FAST is libjpeg's quicker transform; evaluation uses it too.
    pixels = tf.image.decode_and_crop_jpeg(jpeg, window, channels=3, dct_method='INTEGER_FAST')
    # TensorFlow resizes floats in vectors of pixels and bytes one by one: the same result in two
    # thirds of the time.
    pixels = tf.cast(pixels, tf.float32)
    if fit != PAD:
        return tf.image.resize(pixels, [image_size, image_size], method='bilinear')
    size = _padded_size(window[2:], image_size)
    before = (image_size - size) // 2
    margins = tf.stack([before, image_size - size - before], axis=1)
    pixels = tf.image.resize(pixels, size, method='bilinear')
    pixels = tf.pad(pixels, tf.concat([margins, [[0, 0]]], axis=0), constant_values=GREY)
    return tf.ensure_shape(pixels, [image_size, image_size, 3])


def _padded_size(size: tf.Tensor, image_size: int) -> tf.Tensor:
    """Scale height and width, int32 [2], so that the longer one is `image_size`; at least 1."""
    longer = tf.reduce_max(size)
    return tf.maximum((size * image_size + longer // 2) // longer, 1)


def to_bytes(pixels: tf.Tensor) -> tf.Tensor:
    """Round floats of 0 to 255 to uint8, a quarter of the size to batch and to copy."""
    return tf.cast(pixels + HALF, tf.uint8)


def center_window(shape: tf.Tensor, fraction: float, fit: str) -> tf.Tensor:
    """Return the central part of an image that the model sees where nothing is random.

    Args:
      shape: int32 [3] of the image: height, width, channels.
      fraction: (0, 1], of the shorter edge for a square, otherwise of each edge.
      fit: 'crop' for a square, otherwise a part of the image's shape.

    Returns:
      int32 [4]: top, left, height, width in pixels.
    """
    size = shape[:2]
    whole = tf.cast(tf.minimum(size, size[::-1]) if fit == CROP else size, tf.float32)
    window = tf.maximum(tf.cast(tf.round(whole * fraction), tf.int32), 1)
    return tf.concat([(size - window) // 2, window], axis=0)


def random_window(jpeg: tf.Tensor, min_area: float, draws: tf.Tensor, fit: str) -> tf.Tensor:
    """Draw a window that keeps at least `min_area` (0 to 1] of the image's area.

    Area and aspect ratio are drawn first, as in the Inception papers (Szegedy et al. 2015,
    arXiv:1409.4842, section 6); a window larger than the image is cut to it. In an image of at
    least WIDE pixels it starts at a multiple of 16 pixels from the left.

    Objects keep about the shape that they have in evaluation: a window is about a square with
    `fit` 'crop', about of the image's shape with 'squeeze', and exactly so with 'pad'.

    Args:
      jpeg: string scalar.
      min_area: smallest fraction of the area.
      draws: [WINDOW_DRAWS].
      fit: one of FITS.

    Returns:
      int32 [4]: top, left, height, width in pixels.
    """
    # Pairs of height and width: half as many operations as with each on its own.
    size = tf.cast(tf.io.extract_jpeg_shape(jpeg)[:2], tf.float32)
    part = min_area + (1 - min_area) * draws[0]
    edges = tf.sqrt(tf.reduce_prod(size) * part) if fit == CROP else size * tf.sqrt(part)
    if fit != PAD:
        # Each edge takes half of the drawn ratio, one of them its inverse.
        edges *= tf.exp((draws[1] - 0.5) * (-math.log(ASPECT_RATIO), math.log(ASPECT_RATIO)))
    window = tf.clip_by_value(tf.round(edges), 1.0, size)
    step = tf.where(size < WIDE, 1.0, STEPS)
    places = (size - window) // step + 1.0
    corner = step * tf.floor(draws[2:] * places)
    return tf.cast(tf.concat([corner, window], axis=0), tf.int32)
