"""One encoded image to pixels of the model's size: crop and decoding fused, uint8 out.

Only the part of the JPEG that is cut out is decoded. Training and evaluation share this page, so
that they cannot drift apart.
"""

from __future__ import annotations

import tensorflow as tf

# Random crops are up to a third wider or higher than the image is.
ASPECT_RATIOS = (3 / 4, 4 / 3)


def decode_and_crop(jpeg: tf.Tensor, window: tf.Tensor, image_size: int) -> tf.Tensor:
    """Decodes one window of a JPEG and resizes it to a square.

    Args:
      jpeg: string scalar.
      window: int32 [4]: top, left, height, width in pixels.
      image_size: edge of the result in pixels.

    Returns:
      uint8 [image_size, image_size, 3], RGB.
    """
    # INTEGER_FAST is libjpeg's quicker transform; evaluation uses it too.
    pixels = tf.image.decode_and_crop_jpeg(jpeg, window, channels=3, dct_method='INTEGER_FAST')
    pixels = tf.image.resize(pixels, [image_size, image_size], method='bilinear')
    # Bilinear values stay within 0..255. uint8 is a quarter of float32 to batch and to copy.
    # The half makes the cast, which cuts off, round.
    return tf.cast(pixels + 0.5, tf.uint8)


def center_window(jpeg: tf.Tensor, fraction: float) -> tf.Tensor:
    """The central square whose edge is `fraction` (0 to 1] of the image's shorter edge.

    Returns:
      int32 [4]: top, left, height, width in pixels.
    """
    shape = tf.io.extract_jpeg_shape(jpeg)
    height, width = shape[0], shape[1]
    shorter = tf.cast(tf.minimum(height, width), tf.float32)
    edge = tf.maximum(tf.cast(tf.round(shorter * fraction), tf.int32), 1)
    return tf.stack([(height - edge) // 2, (width - edge) // 2, edge, edge])


def random_window(jpeg: tf.Tensor, min_area: float, seed: tf.Tensor) -> tf.Tensor:
    """A random window that keeps at least `min_area` (0 to 1] of the image's area.

    Area and aspect ratio are drawn first, as in the Inception papers (Szegedy et al. 2015,
    arXiv:1409.4842, section 6); a window larger than the image is cut to it.

    Args:
      jpeg: string scalar.
      min_area: smallest share of the area.
      seed: int64 [2]; the same seed gives the same window.

    Returns:
      int32 [4]: top, left, height, width in pixels.
    """
    shape = tf.cast(tf.io.extract_jpeg_shape(jpeg)[:2], tf.float32)
    height, width = shape[0], shape[1]
    draws = tf.random.stateless_uniform([4], seed)
    area = height * width * (min_area + draws[0] * (1 - min_area))
    low, high = (tf.math.log(ratio) for ratio in ASPECT_RATIOS)
    ratio = tf.exp(low + draws[1] * (high - low))
    crop_height = tf.clip_by_value(tf.round(tf.sqrt(area / ratio)), 1, height)
    crop_width = tf.clip_by_value(tf.round(tf.sqrt(area * ratio)), 1, width)
    top = tf.floor(draws[2] * (height - crop_height + 1))
    left = tf.floor(draws[3] * (width - crop_width + 1))
    # A draw just under 1 can round up to the full range.
    top, left = tf.minimum(top, height - crop_height), tf.minimum(left, width - crop_width)
    return tf.cast(tf.stack([top, left, crop_height, crop_width]), tf.int32)
