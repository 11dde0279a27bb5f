"""One JPEG to the pixels of a window."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from library.inputs.decoding import (
    WIDE,
    WINDOW_DRAWS,
    center_window,
    decode_and_crop,
    random_window,
    to_bytes,
)

# The largest float32 below 1.
ALMOST_ONE = float(np.nextafter(np.float32(1), np.float32(0)))


def jpeg(height, width, left='red', right='blue'):
    """A picture whose left half has one colour and whose right half has another."""
    image = Image.new('RGB', (width, height), right)
    image.paste(left, (0, 0, width // 2, height))
    out = io.BytesIO()
    image.save(out, 'JPEG', quality=100, subsampling=0)
    return tf.constant(out.getvalue())


def draws(number):
    return tf.random.stateless_uniform([WINDOW_DRAWS], tf.constant([0, number], tf.int64))


def test_the_window_is_what_is_decoded():
    pixels = decode_and_crop(jpeg(40, 80), tf.constant([0, 0, 40, 40]), 16).numpy()
    assert pixels.shape == (16, 16, 3)
    assert pixels.dtype == np.float32
    assert (np.abs(pixels - [254, 0, 0]) < 8).all()


def test_a_crop_is_the_same_as_decoding_all_and_cutting():
    image = jpeg(48, 64)
    whole = tf.io.decode_jpeg(image, channels=3, dct_method='INTEGER_FAST')[8:40, 16:48]
    cropped = decode_and_crop(image, tf.constant([8, 16, 32, 32]), 32)
    np.testing.assert_array_equal(cropped, whole)


def test_resizing_floats_gives_the_pixels_of_resizing_bytes():
    image = jpeg(61, 83)
    whole = tf.io.decode_jpeg(image, channels=3, dct_method='INTEGER_FAST')
    resized = decode_and_crop(image, tf.constant([0, 0, 61, 83]), 32)
    np.testing.assert_array_equal(resized, tf.image.resize(whole, [32, 32]))


def test_floats_are_rounded_to_the_nearest_byte():
    floats = tf.constant([0.0, 0.49, 0.51, 127.5, 254.6, 255.0])
    bytes_ = to_bytes(floats)
    assert bytes_.dtype == tf.uint8
    assert bytes_.numpy().tolist() == [0, 0, 1, 128, 255, 255]


def test_a_grey_jpeg_gets_three_channels():
    out = io.BytesIO()
    Image.new('L', (20, 20), 128).save(out, 'JPEG')
    assert decode_and_crop(tf.constant(out.getvalue()), tf.constant([0, 0, 20, 20]), 8).shape == (
        8,
        8,
        3,
    )


@pytest.mark.parametrize(
    ('height', 'width', 'fraction', 'window'),
    [
        (40, 80, 1.0, [0, 20, 40, 40]),
        (80, 40, 1.0, [20, 0, 40, 40]),
        (40, 80, 0.5, [10, 30, 20, 20]),
        (3, 3, 0.1, [1, 1, 1, 1]),
    ],
)
def test_the_center_window_is_a_square_of_the_shorter_edge(height, width, fraction, window):
    assert center_window(tf.constant([height, width, 3]), fraction).numpy().tolist() == window


def test_random_windows_lie_in_the_image_and_keep_the_area():
    image = jpeg(60, 90)
    for number in range(300):
        top, left, height, width = random_window(image, 0.5, draws(number)).numpy()
        assert top >= 0
        assert left >= 0
        assert 1 <= height <= 60 - top
        assert 1 <= width <= 90 - left
        # A window wider or higher than the image is cut to it and loses some area.
        assert height * width >= 0.4 * 60 * 90


def test_the_same_draws_give_the_same_window_and_others_differ():
    image = jpeg(60, 90)
    windows = [tuple(random_window(image, 0.2, draws(n)).numpy()) for n in (1, 1, 2, 3)]
    assert windows[0] == windows[1]
    assert len(set(windows)) == 3


def test_aspect_ratios_range_from_three_to_four_to_its_inverse():
    image = jpeg(200, 200)
    for draw, ratio in ((0.0, 3 / 4), (0.5, 1.0), (ALMOST_ONE, 4 / 3)):
        height, width = random_window(image, 0.5, tf.constant([0.0, draw, 0, 0])).numpy()[2:]
        assert width / height == pytest.approx(ratio, abs=0.02)
        assert height * width == pytest.approx(0.5 * 200 * 200, rel=0.02)


@pytest.mark.parametrize('width', [WIDE - 1, WIDE, 301])
def test_windows_of_a_wide_image_start_where_a_block_does_and_others_anywhere(width):
    image = jpeg(240, width)
    windows = np.stack([random_window(image, 0.3, draws(n)) for n in range(200)])
    lefts, rows = set(windows[:, 1].tolist()), set(windows[:, 0].tolist())
    assert all(left % 16 == 0 for left in lefts) == (width >= WIDE)
    assert len(lefts) >= 9
    assert any(row % 16 for row in rows)


def test_the_largest_draw_stays_in_the_image():
    last = tf.constant([0.0, 0.5, ALMOST_ONE, ALMOST_ONE])
    for width in (1, 2, 3, 7, 90, 255, 256, 257, 300, 1023):
        top, left, height, width_ = random_window(jpeg(31, width), 0.25, last).numpy()
        assert top + height <= 31
        assert left + width_ <= width


def test_the_whole_area_of_a_square_image_can_be_asked_for():
    window = random_window(jpeg(1, 1), 1.0, draws(0)).numpy().tolist()
    assert window == [0, 0, 1, 1]
