"""Random changes of an image, alone and inside tf.data."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from library.inputs.options import ImageOptions
from project.augmentation import AUGMENT_DRAWS, LUMA, augment, random_color, random_flip

ALL_OFF = ImageOptions(
    random_flip=False, random_brightness=0, random_contrast=0, random_saturation=0
)
# A draw of a half changes nothing.
NO_CHANGE = [0.5, 0.5, 0.5]


def image(size=8, low=0, high=256):
    pixels = np.random.default_rng(0).integers(low, high, (size, size, 3))
    return tf.constant(pixels, tf.float32)


def draws(number):
    return tf.random.stateless_uniform([AUGMENT_DRAWS], tf.constant([3, number], tf.int64))


def colored(pixels, strengths, values):
    changed = random_color(tf.constant(pixels, tf.float32), strengths, tf.constant(values))
    assert changed.dtype == tf.uint8
    return changed.numpy().astype(int)


@pytest.mark.parametrize('axis', [0, 1])
def test_a_draw_under_a_half_mirrors_and_the_others_do_not(axis):
    before = image().numpy()
    flipped = random_flip(tf.constant(before), tf.constant(0.49), axis)
    np.testing.assert_array_equal(flipped, np.flip(before, axis))
    np.testing.assert_array_equal(random_flip(tf.constant(before), tf.constant(0.5), axis), before)


def test_about_half_of_the_images_are_mirrored():
    pixels = image()
    options = ImageOptions(random_brightness=0, random_contrast=0, random_saturation=0)
    mirrored = sum(
        bool((augment(pixels, options, draws(n)).numpy() != pixels.numpy()).any())
        for n in range(100)
    )
    assert 35 < mirrored < 65


def test_with_everything_off_the_images_are_only_rounded():
    pixels = image() * 0.9
    np.testing.assert_array_equal(augment(pixels, ALL_OFF, draws(1)), np.floor(pixels + 0.5))


def test_draws_of_a_half_change_no_color():
    pixels = image()
    np.testing.assert_array_equal(colored(pixels, (1.0, 0.9, 0.9), NO_CHANGE), pixels)


@pytest.mark.parametrize(('draw', 'offset'), [(0.0, -51), (0.25, -25.5), (1.0, 51)])
def test_brightness_adds_one_constant(draw, offset):
    pixels = image(low=60, high=190).numpy()
    changed = colored(pixels, (0.2, 0.0, 0.0), [draw, 0.0, 0.0])
    np.testing.assert_allclose(changed, pixels + offset, atol=0.501)


def test_contrast_and_saturation_leave_a_flat_grey_image_alone():
    grey = np.full((4, 4, 3), 99)
    np.testing.assert_array_equal(colored(grey, (0.0, 0.5, 0.5), [0.0, 0.1, 0.9]), grey)


def test_saturation_moves_each_pixel_to_or_from_its_own_grey():
    pixels = image(low=96, high=160).numpy()
    grey = (pixels @ np.array(LUMA))[..., np.newaxis]
    for draw, factor in ((0.0, 0.5), (0.9, 1.4)):
        changed = colored(pixels, (0.0, 0.0, 0.5), [0.0, 0.0, draw])
        np.testing.assert_allclose(changed, grey + factor * (pixels - grey), atol=0.502)


def test_contrast_scales_the_distance_from_the_mean_grey():
    pixels = image(low=96, high=160).numpy()
    mean = (pixels @ np.array(LUMA)).mean()
    for draw, factor in ((0.0, 0.5), (0.9, 1.4)):
        changed = colored(pixels, (0.0, 0.5, 0.0), [0.0, draw, 0.0])
        np.testing.assert_allclose(changed, mean + factor * (pixels - mean), atol=0.502)


def test_all_three_changes_together_follow_the_formula():
    pixels = image(low=60, high=190).numpy()
    grey = (pixels @ np.array(LUMA))[..., np.newaxis]
    changed = colored(pixels, (0.1, 0.2, 0.4), [0.8, 0.1, 0.7])
    contrast, saturation = 1 - 0.2 * 0.8, 1 + 0.4 * 0.4
    saturated = grey + saturation * (pixels - grey)
    expected = grey.mean() + contrast * (saturated - grey.mean()) + 255 * 0.1 * 0.6
    np.testing.assert_allclose(changed, np.clip(expected, 0, 255), atol=0.502)


def test_colors_never_leave_the_range_of_a_byte():
    extremes = np.zeros((2, 2, 3))
    extremes[0] = 255
    # Without the limit a cast would wrap around: black made darker would be bright.
    assert colored(extremes, (0.5, 0.0, 0.0), [0.0, 0.0, 0.0])[1].max() == 0
    assert colored(extremes, (0.5, 0.0, 0.0), [1.0, 0.0, 0.0])[0].min() == 255


@pytest.mark.parametrize('size', [1, 2, 7, 8])
def test_images_of_even_and_odd_size_are_colored_alike(size):
    pixels = image(8, 60, 190)[:size, :size]
    grey = (pixels.numpy() @ np.array(LUMA))[..., np.newaxis]
    changed = colored(pixels, (0.0, 0.0, 0.5), [0.0, 0.0, 0.0])
    np.testing.assert_allclose(changed, (grey + pixels.numpy()) / 2, atol=0.502)


def test_the_same_draws_change_in_the_same_way_inside_tf_data():
    options = ImageOptions()
    dataset = tf.data.Dataset.from_tensors(image()).map(
        lambda pixels: augment(pixels, options, draws(7))
    )
    inside = next(iter(dataset))
    np.testing.assert_array_equal(inside, augment(image(), options, draws(7)))
    assert (inside.numpy() != augment(image(), options, draws(8)).numpy()).any()
