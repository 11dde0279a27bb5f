"""Read what a PNG says before its pixels, within a graph."""

from __future__ import annotations

import tensorflow as tf

# What every PNG begins with; width, height, depth and colour type stand at a fixed place behind.
MARK, HEADER = b'\x89PNG\r\n\x1a\n', 26
# Chunks of a PNG: of its opacity, which comes first where there is one, and of its pixels.
OPACITY, PIXELS = b'tRNS', b'IDAT'
# Colour types of grey and of RGB with the opacity of each pixel.
OPACITY_OF_EACH_PIXEL = (b'\4', b'\6')


def is_png(image: tf.Tensor) -> tf.Tensor:
    """Return whether a string scalar begins as a PNG does."""
    begins = tf.equal(tf.strings.substr(image, 0, len(MARK)), MARK)
    return tf.logical_and(begins, tf.strings.length(image) >= HEADER)


def png_size(png: tf.Tensor) -> tf.Tensor:
    """Read width and height: int32 [2]."""
    return _numbers(png, 16, 8)


def has_opacity(png: tf.Tensor) -> tf.Tensor:
    """Return whether a PNG gives opacity: with each pixel, or in a chunk before the pixels.

    Asked for an opacity that a PNG lacks, TensorFlow 2.15 fills in the largest value of the file's
    own bits, which is 255 for 8 bits alone. Opacities do not tell: those of a palette may be that.

    Args:
      png: string scalar for which `is_png` is true.
    """
    length = tf.strings.length(png)

    def has_next(kind: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
        is_last = tf.reduce_any(tf.equal(kind, [OPACITY, PIXELS]))
        return tf.logical_and(start + 8 <= length, tf.logical_not(is_last))

    def next_chunk(kind: tf.Tensor, start: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        del kind
        # A forged size must not lead back; decoding refuses it.
        size = tf.clip_by_value(_numbers(png, start, 4)[0], 0, length)
        return tf.strings.substr(png, start + 4, 4), start + 12 + size

    kind, _ = tf.while_loop(has_next, next_chunk, [tf.constant(b''), len(MARK)])
    color_type = tf.strings.substr(png, HEADER - 1, 1)
    of_each_pixel = tf.reduce_any(tf.equal(color_type, OPACITY_OF_EACH_PIXEL))
    return tf.logical_or(tf.equal(kind, OPACITY), of_each_pixel)


def _numbers(image: tf.Tensor, start: tf.Tensor | int, size: int) -> tf.Tensor:
    """Read bytes as int32 [size / 4], the most significant byte first."""
    read = tf.strings.substr(image, start, size)
    return tf.io.decode_raw(read, tf.int32, little_endian=False)
