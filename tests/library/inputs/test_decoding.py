"""One JPEG to the pixels of a window."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from library.inputs.decoding import center_window, decode_and_crop, random_window


def jpeg(height, width, left='red', right='blue'):
    """A picture whose left half has one colour and whose right half has another."""
    image = Image.new('RGB', (width, height), right)
    image.paste(left, (0, 0, width // 2, height))
    out = io.BytesIO()
    image.save(out, 'JPEG', quality=100, subsampling=0)
    return tf.constant(out.getvalue())


def seed(number):
    return tf.constant([0, number], tf.int64)


def test_the_window_is_what_is_decoded():
    pixels = decode_and_crop(jpeg(40, 80), tf.constant([0, 0, 40, 40]), 16).numpy()
    assert pixels.shape == (16, 16, 3)
    assert pixels.dtype == np.uint8
    assert (np.abs(pixels.astype(int) - [254, 0, 0]) < 8).all()


def test_a_crop_is_the_same_as_decoding_all_and_cutting():
    image = jpeg(48, 64)
    whole = tf.io.decode_jpeg(image, channels=3, dct_method='INTEGER_FAST')[8:40, 16:48]
    cropped = decode_and_crop(image, tf.constant([8, 16, 32, 32]), 32)
    np.testing.assert_array_equal(cropped, whole)


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
    assert center_window(jpeg(height, width), fraction).numpy().tolist() == window


def test_random_windows_lie_in_the_image_and_keep_the_area():
    image = jpeg(60, 90)
    for number in range(300):
        top, left, height, width = random_window(image, 0.5, seed(number)).numpy()
        assert top >= 0
        assert left >= 0
        assert 1 <= height <= 60 - top
        assert 1 <= width <= 90 - left
        # A window wider or higher than the image is cut to it and loses some area.
        assert height * width >= 0.4 * 60 * 90


def test_the_same_seed_gives_the_same_window_and_others_differ():
    image = jpeg(60, 90)
    windows = [tuple(random_window(image, 0.2, seed(n)).numpy()) for n in (1, 1, 2, 3)]
    assert windows[0] == windows[1]
    assert len(set(windows)) == 3


def test_the_whole_area_of_a_square_image_can_be_asked_for():
    window = random_window(jpeg(1, 1), 1.0, seed(0)).numpy().tolist()
    assert window == [0, 0, 1, 1]
