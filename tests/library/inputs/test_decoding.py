"""One JPEG to the pixels of a window."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from library.inputs.decoding import (
    GREY,
    WIDE,
    WINDOW_DRAWS,
    center_window,
    decode_and_crop,
    random_window,
    to_bytes,
)
from library.inputs.options import CROP, FITS, PAD, SQUEEZE

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
    pixels = decode_and_crop(jpeg(40, 80), tf.constant([0, 0, 40, 40]), 16, CROP).numpy()
    assert pixels.shape == (16, 16, 3)
    assert pixels.dtype == np.float32
    assert (np.abs(pixels - [254, 0, 0]) < 8).all()


def test_a_crop_is_the_same_as_decoding_all_and_cutting():
    image = jpeg(48, 64)
    whole = tf.io.decode_jpeg(image, channels=3, dct_method='INTEGER_FAST')[8:40, 16:48]
    cropped = decode_and_crop(image, tf.constant([8, 16, 32, 32]), 32, CROP)
    np.testing.assert_array_equal(cropped, whole)


def test_resizing_floats_gives_the_pixels_of_resizing_bytes():
    image = jpeg(61, 83)
    whole = tf.io.decode_jpeg(image, channels=3, dct_method='INTEGER_FAST')
    resized = decode_and_crop(image, tf.constant([0, 0, 61, 83]), 32, CROP)
    np.testing.assert_array_equal(resized, tf.image.resize(whole, [32, 32]))


def test_floats_are_rounded_to_the_nearest_byte():
    floats = tf.constant([0.0, 0.49, 0.51, 127.5, 254.6, 255.0])
    bytes_ = to_bytes(floats)
    assert bytes_.dtype == tf.uint8
    assert bytes_.numpy().tolist() == [0, 0, 1, 128, 255, 255]


def test_a_grey_jpeg_gets_three_channels():
    out = io.BytesIO()
    Image.new('L', (20, 20), 128).save(out, 'JPEG')
    pixels = decode_and_crop(tf.constant(out.getvalue()), tf.constant([0, 0, 20, 20]), 8, CROP)
    assert pixels.shape == (8, 8, 3)


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
    assert center_window(tf.constant([height, width, 3]), fraction, CROP).numpy().tolist() == window


@pytest.mark.parametrize('fit', [SQUEEZE, PAD])
@pytest.mark.parametrize(
    ('height', 'width', 'fraction', 'window'),
    [
        (40, 80, 1.0, [0, 0, 40, 80]),
        (80, 41, 0.5, [20, 10, 40, 20]),
        (1, 30, 0.1, [0, 13, 1, 3]),
    ],
)
def test_the_center_window_of_other_fits_has_the_shape_of_the_image(
    fit, height, width, fraction, window
):
    assert center_window(tf.constant([height, width, 3]), fraction, fit).numpy().tolist() == window


def bilinear(pixels, height, width):
    """Resizes by the definition: between the four nearest pixels, whose centres lie at 0.5."""

    def places(size, wanted):
        at = np.clip((np.arange(wanted) + 0.5) * size / wanted - 0.5, 0, size - 1)
        below = np.floor(at).astype(int)
        return below, np.minimum(below + 1, size - 1), at - below

    top, bottom, down = places(pixels.shape[0], height)
    left, right, across = places(pixels.shape[1], width)
    rows = pixels[top] + (pixels[bottom] - pixels[top]) * down[:, None, None]
    return rows[:, left] + (rows[:, right] - rows[:, left]) * across[:, None]


@pytest.fixture
def slope():
    """A JPEG of smooth colours, 90 pixels wide and 61 high, and all of its pixels."""
    x, y = np.meshgrid(np.linspace(0, 255, 90), np.linspace(0, 255, 61))
    out = io.BytesIO()
    image = Image.fromarray(np.stack([x, y, 255 - x], 2).astype(np.uint8))
    image.save(out, 'JPEG', quality=100, subsampling=0)
    encoded = tf.constant(out.getvalue())
    pixels = tf.io.decode_jpeg(encoded, channels=3, dct_method='INTEGER_FAST').numpy()
    assert np.abs(pixels.astype(float) - np.asarray(image)).mean() < 1.5
    return encoded, pixels.astype(float)


@pytest.mark.parametrize(
    ('fit', 'fraction', 'seen', 'place'),
    [
        (CROP, 1.0, np.s_[:, 14:75], np.s_[:, :]),
        (CROP, 0.5, np.s_[15:45, 30:60], np.s_[:, :]),
        (SQUEEZE, 1.0, np.s_[:, :], np.s_[:, :]),
        (SQUEEZE, 0.5, np.s_[15:45, 22:67], np.s_[:, :]),
        # 61 of 90 are 27 of 40 (27.1), with 6 rows above and 7 below.
        (PAD, 1.0, np.s_[:, :], np.s_[6:33, :]),
        (PAD, 0.5, np.s_[15:45, 22:67], np.s_[6:33, :]),
    ],
)
def test_each_fit_gives_the_pixels_that_a_calculation_by_hand_gives(
    slope, fit, fraction, seen, place
):
    encoded, pixels = slope
    expected = np.full([40, 40, 3], 128.0)
    expected[place] = bilinear(pixels[seen], *expected[place].shape[:2])
    window = center_window(tf.io.extract_jpeg_shape(encoded), fraction, fit)
    found = decode_and_crop(encoded, window, 40, fit)
    assert found.shape == (40, 40, 3)
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize(
    ('height', 'width', 'rows', 'columns'),
    [(40, 80, (4, 12), (0, 16)), (80, 40, (0, 16), (4, 12)), (16, 16, (0, 16), (0, 16))],
)
def test_padding_is_grey_on_both_sides_of_the_shorter_edge(height, width, rows, columns):
    window = tf.constant([0, 0, height, width])
    found = decode_and_crop(jpeg(height, width, 'red', 'red'), window, 16, PAD).numpy()
    is_grey = (found == GREY).all(axis=2)
    expected = np.ones([16, 16], bool)
    expected[slice(*rows), slice(*columns)] = False
    np.testing.assert_array_equal(is_grey, expected)
    assert (np.abs(found[~is_grey] - [254, 0, 0]) < 3).all()


def test_of_the_thinnest_image_a_line_is_left():
    found = decode_and_crop(jpeg(8, 1000, 'red', 'red'), tf.constant([0, 0, 8, 1000]), 32, PAD)
    assert np.flatnonzero((found.numpy() != GREY).any(axis=(1, 2))).tolist() == [15]


def test_the_windows_of_crop_are_those_of_before_other_fits_came():
    found = [
        random_window(jpeg(*size), 0.3, draws(number), CROP).numpy().tolist()
        for size in ((60, 90), (240, 301))
        for number in (0, 1)
    ]
    assert found == [
        [12, 30, 46, 52],
        [6, 15, 45, 43],
        [57, 80, 169, 191],
        [29, 48, 165, 157],
    ]


@pytest.mark.parametrize('fit', FITS)
def test_random_windows_have_about_the_shape_that_evaluation_sees(fit):
    height, width = 300, 600
    of_center = center_window(tf.constant([height, width, 3]), 1.0, fit).numpy()
    shape = of_center[2] / of_center[3]
    image = jpeg(height, width)
    # Small enough that none is cut to the image.
    windows = np.stack([random_window(image, 0.1, draws(n), fit) for n in range(200)])
    windows = windows[windows[:, 2:].prod(axis=1) < 0.3 * height * width]
    ratios = windows[:, 2] / windows[:, 3] / shape
    most = 1.02 if fit == PAD else 4 / 3
    assert len(ratios) > 20
    assert 0.98 / most < ratios.min()
    assert ratios.max() < 1.02 * most
    if fit != PAD:
        assert np.ptp(ratios) > 0.4


@pytest.mark.parametrize('fit', FITS)
def test_random_windows_lie_in_the_image_and_keep_the_area(fit):
    image = jpeg(60, 90)
    for number in range(300):
        top, left, height, width = random_window(image, 0.5, draws(number), fit).numpy()
        assert top >= 0
        assert left >= 0
        assert 1 <= height <= 60 - top
        assert 1 <= width <= 90 - left
        # A window wider or higher than the image is cut to it and loses some area.
        assert height * width >= 0.4 * 60 * 90


def test_the_same_draws_give_the_same_window_and_others_differ():
    image = jpeg(60, 90)
    windows = [tuple(random_window(image, 0.2, draws(n), CROP).numpy()) for n in (1, 1, 2, 3)]
    assert windows[0] == windows[1]
    assert len(set(windows)) == 3


def test_aspect_ratios_range_from_three_to_four_to_its_inverse():
    image = jpeg(200, 200)
    for draw, ratio in ((0.0, 3 / 4), (0.5, 1.0), (ALMOST_ONE, 4 / 3)):
        height, width = random_window(image, 0.5, tf.constant([0.0, draw, 0, 0]), CROP).numpy()[2:]
        assert width / height == pytest.approx(ratio, abs=0.02)
        assert height * width == pytest.approx(0.5 * 200 * 200, rel=0.02)


@pytest.mark.parametrize('width', [WIDE - 1, WIDE, 301])
def test_windows_of_a_wide_image_start_where_a_block_does_and_others_anywhere(width):
    image = jpeg(240, width)
    windows = np.stack([random_window(image, 0.3, draws(n), CROP) for n in range(200)])
    lefts, rows = set(windows[:, 1].tolist()), set(windows[:, 0].tolist())
    assert all(left % 16 == 0 for left in lefts) == (width >= WIDE)
    assert len(lefts) >= 9
    assert any(row % 16 for row in rows)


def test_the_largest_draw_stays_in_the_image():
    last = tf.constant([0.0, 0.5, ALMOST_ONE, ALMOST_ONE])
    for width in (1, 2, 3, 7, 90, 255, 256, 257, 300, 1023):
        top, left, height, width_ = random_window(jpeg(31, width), 0.25, last, CROP).numpy()
        assert top + height <= 31
        assert left + width_ <= width


def test_the_whole_area_of_a_square_image_can_be_asked_for():
    window = random_window(jpeg(1, 1), 1.0, draws(0), CROP).numpy().tolist()
    assert window == [0, 0, 1, 1]
