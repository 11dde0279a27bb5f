"""Decode images of any size that a client sends to the pixels that evaluation sees.

An image that a conversion would have stored as it is goes through the links of the evaluation
chain. Any other is stored first, in the graph, as nearly as TensorFlow can: decoded at a fraction
of its size, shrunk, and encoded as the JPEG that it would have become. What a JPEG loses is what
makes most of the difference. Orientation tags are not read: TensorFlow knows none.
"""

from __future__ import annotations

import math

import tensorflow as tf

from library.inputs.decoding import center_window, decode_and_crop, to_bytes
from library.inputs.png_chunks import has_opacity, is_png, png_size
from library.preparation.pictures.picture_options import WHITE

# Images that are decoded at the same time, of one request.
DECODED_AT_ONCE = 16

# What libjpeg divides an image's edges by while it decodes, for little.
FRACTIONS = (1, 2, 4, 8)


def decode_batch(
    encoded: tf.Tensor,
    fit: str,
    center_crop: float,
    image_size: int,
    max_edge: int,
    quality: int,
    max_pixels: int,
    background: tuple[int, ...] = WHITE,
) -> tf.Tensor:
    """Decode a batch of JPEGs and PNGs.

    Args:
      encoded: string [batch], at least one.
      fit, center_crop: as for `center_window`.
      image_size: edge of the result in pixels.
      max_edge: longest edge of the images that the model was trained on, in pixels.
      quality: of the JPEGs among them that were re-encoded, 1 to 100.
      max_pixels: a larger image is refused before it is decoded.
      background: red, green and blue of what transparent PNGs are laid on, 0 to 255.

    Returns:
      uint8 [batch, image_size, image_size, 3].
    """

    @tf.autograph.experimental.do_not_convert
    def decode(image: tf.Tensor) -> tf.Tensor:
        image = _of_bounded_size(image, max_pixels)
        jpeg = tf.cond(
            _is_stored(image, max_edge),
            lambda: image,
            lambda: _store(image, max_edge, quality, background),
        )
        window = center_window(tf.io.extract_jpeg_shape(jpeg), center_crop, fit)
        return to_bytes(decode_and_crop(jpeg, window, image_size, fit))

    # The library for convolutions crashes on a batch of none.
    some = tf.debugging.assert_positive(tf.size(encoded), 'image_bytes holds no image')
    with tf.control_dependencies([some] if some is not None else []):
        encoded = tf.identity(encoded)
    spec = tf.TensorSpec([image_size, image_size, 3], tf.uint8)
    return tf.map_fn(decode, encoded, fn_output_signature=spec, parallel_iterations=DECODED_AT_ONCE)


def _of_bounded_size(image: tf.Tensor, max_pixels: int) -> tf.Tensor:
    """Refuse an image whose header names more pixels, or that is of another kind.

    A file of some kilobytes may stand for gigabytes of pixels, and TensorFlow knows no bound.
    """

    def of_png() -> tf.Tensor:
        known = tf.debugging.Assert(is_png(image), ['neither a JPEG nor a PNG'])
        with tf.control_dependencies([known]):
            return png_size(image)

    size = tf.cond(tf.io.is_jpeg(image), lambda: tf.io.extract_jpeg_shape(image)[:2], of_png)
    pixels = tf.reduce_prod(tf.cast(size, tf.int64))
    bounded = tf.debugging.Assert(pixels <= max_pixels, [f'more than {max_pixels} pixels:', size])
    with tf.control_dependencies([bounded]):
        return tf.identity(image)


def _is_stored(image: tf.Tensor, max_edge: int) -> tf.Tensor:
    """Return whether it is a JPEG in colour, no larger than those that were stored."""

    def of_jpeg() -> tf.Tensor:
        shape = tf.io.extract_jpeg_shape(image)
        return tf.logical_and(tf.reduce_max(shape[:2]) <= max_edge, tf.equal(shape[2], 3))

    return tf.cond(tf.io.is_jpeg(image), of_jpeg, lambda: tf.constant(False))


def _store(image: tf.Tensor, max_edge: int, quality: int, background: tuple[int, ...]) -> tf.Tensor:
    """Return the JPEG that a conversion would have made of an image, but for its orientation."""

    def of_jpeg() -> tf.Tensor:
        size = tf.io.extract_jpeg_shape(image)[:2]
        target = _target(size, max_edge)
        return _shrunk(_decode_fraction(image, tf.reduce_min(size // target)), target)

    def of_png() -> tf.Tensor:
        pixels = tf.cond(
            has_opacity(image),
            lambda: _laid_on(background, tf.io.decode_png(image, channels=4)),
            lambda: tf.io.decode_png(image, channels=3),
        )
        return _shrunk(pixels, _target(tf.shape(pixels)[:2], max_edge))

    pixels = tf.cond(tf.io.is_jpeg(image), of_jpeg, of_png)
    return tf.io.encode_jpeg(pixels, format='rgb', quality=quality)


def _target(size: tf.Tensor, max_edge: int) -> tf.Tensor:
    """Return height and width to store, int32 [2]; double, to round as Python does."""
    exact = tf.cast(size, tf.float64)
    scale = tf.minimum(max_edge / tf.reduce_max(exact), 1.0)
    return tf.maximum(tf.cast(tf.round(exact * scale), tf.int32), 1)


def _decode_fraction(jpeg: tf.Tensor, most: tf.Tensor) -> tf.Tensor:
    """Decode to uint8 [height, width, 3], at the largest of FRACTIONS up to `most` of each edge."""

    def decode(fraction: int) -> tf.Tensor:
        # The transform that Pillow uses: unlike in decode_and_crop the aim is to do as it does.
        return tf.io.decode_jpeg(jpeg, 3, ratio=fraction, dct_method='INTEGER_ACCURATE')

    choice = tf.reduce_sum(tf.cast(most >= FRACTIONS[1:], tf.int32))
    return tf.switch_case(choice, [lambda fraction=each: decode(fraction) for each in FRACTIONS])


def _laid_on(background: tuple[int, ...], pixels: tf.Tensor) -> tf.Tensor:
    """Put uint8 [height, width, 4] with opacity last on a colour: [height, width, 3]."""
    pixels = tf.cast(pixels, tf.float32)
    opacity = pixels[..., 3:] / 255.0
    behind = tf.constant(background, tf.float32)
    return to_bytes(pixels[..., :3] * opacity + behind * (1.0 - opacity))


def _shrunk(pixels: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Resize uint8 [height, width, 3] to `target`, int32 [2]: across, then down, as Pillow does.

    TensorFlow has no such filter; as products of matrices it comes out alike to the last bit but
    for a few pixels.
    """

    def resized() -> tf.Tensor:
        size = tf.shape(pixels)
        across = tf.einsum('hwc,tw->htc', tf.cast(pixels, tf.float32), _weights(size[1], target[1]))
        rows = tf.cast(to_bytes(tf.clip_by_value(across, 0.0, 255.0)), tf.float32)
        down = tf.einsum('htc,sh->stc', rows, _weights(size[0], target[0]))
        return to_bytes(tf.clip_by_value(down, 0.0, 255.0))

    is_there = tf.reduce_all(tf.equal(tf.shape(pixels)[:2], target))
    return tf.cond(is_there, lambda: pixels, resized)


def _weights(size: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Weigh each of `size` pixels for each of `target`: float32 [target, size], rows sum to 1.

    Pillow's HAMMING: a sinc under a Hamming window of one pixel of the result to either side.
    """
    scale = size / target
    centers = (tf.range(tf.cast(target, tf.float64))[:, tf.newaxis] + 0.5) * scale
    distance = (tf.range(tf.cast(size, tf.float64)) + 0.5 - centers) / scale
    angle = math.pi * distance
    is_center = tf.cast(tf.equal(angle, 0.0), tf.float64)
    sinc = tf.math.divide_no_nan(tf.sin(angle), angle) + is_center
    weights = sinc * (0.54 + 0.46 * tf.cos(angle))
    weights = tf.where(tf.abs(distance) < 1.0, weights, 0.0)
    return tf.cast(weights / tf.reduce_sum(weights, axis=1, keepdims=True), tf.float32)
