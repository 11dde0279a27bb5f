"""Random changes of batches, alone and inside tf.data."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from library.inputs.augmentation import augment, random_color, random_flip
from library.inputs.options import ImageOptions

ALL_OFF = ImageOptions(
    random_flip=False, random_brightness=0, random_contrast=0, random_saturation=0
)


def batch(count=64, size=8):
    return tf.constant(np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8))


def seed(number):
    return tf.constant([3, number], tf.int64)


@pytest.mark.parametrize('axis', [1, 2])
def test_a_flip_mirrors_about_half_of_the_images_and_leaves_the_rest(axis):
    images = batch().numpy()
    flipped = random_flip(tf.constant(images), seed(0), axis).numpy()
    mirrored = np.flip(images, axis)
    same = (flipped == images).all(axis=(1, 2, 3))
    turned = (flipped == mirrored).all(axis=(1, 2, 3))
    assert (same ^ turned).all()
    assert 16 < turned.sum() < 48


def test_with_everything_off_the_images_stay_as_they_are():
    np.testing.assert_array_equal(augment(batch(), ALL_OFF, seed(1)), batch())


def test_brightness_adds_one_constant_to_each_image():
    grey = tf.fill([32, 4, 4, 3], tf.constant(128, tf.uint8))
    changed = random_color(grey, 0.2, 0.0, 0.0, seed=seed(2)).numpy().astype(int)
    assert (changed.max(axis=(1, 2, 3)) == changed.min(axis=(1, 2, 3))).all()
    offsets = changed[:, 0, 0, 0] - 128
    assert np.abs(offsets).max() <= 51
    assert len(set(offsets)) > 10


def test_contrast_and_saturation_leave_a_flat_grey_image_alone():
    grey = tf.fill([8, 4, 4, 3], tf.constant(99, tf.uint8))
    np.testing.assert_array_equal(random_color(grey, 0.0, 0.5, 0.5, seed=seed(3)), grey)


def test_saturation_changes_no_brightness():
    images = tf.cast(batch(16) // 4 + 96, tf.uint8)
    luma = np.array([0.299, 0.587, 0.114])
    changed = random_color(images, 0.0, 0.0, 0.5, seed=seed(4)).numpy()
    np.testing.assert_allclose(changed @ luma, images.numpy() @ luma, atol=1.0)
    assert (changed != images.numpy()).any()


def test_contrast_scales_the_distance_from_the_mean_grey():
    images = np.full((1, 2, 2, 3), 100, np.uint8)
    images[0, :, 0] = 120
    changed = random_color(tf.constant(images), 0.0, 0.9, 0.0, seed=seed(5)).numpy().astype(int)
    high, low = changed[0, 0, 0, 0], changed[0, 0, 1, 0]
    assert abs((high + low) / 2 - 110) <= 1
    draw = tf.random.stateless_uniform([3, 1, 1, 1], seed(5), -1.0, 1.0)[1, 0, 0, 0]
    assert abs((high - low) - 20 * (1 + 0.9 * float(draw))) <= 1


def test_colors_never_leave_the_range_of_a_byte():
    extremes = tf.constant([[[[0, 0, 0]], [[255, 255, 255]]]] * 64, tf.uint8)
    changed = random_color(extremes, 1.0, 0.0, 0.0, seed=seed(6)).numpy().astype(int)
    # Without the limit a cast would wrap around: black made darker would be bright.
    draws = tf.random.stateless_uniform([3, 64, 1, 1], seed(6), -1.0, 1.0)[0, :, 0, 0].numpy()
    expected = np.clip(np.array([0, 255]) + 255 * draws[:, np.newaxis], 0, 255)
    np.testing.assert_allclose(changed[:, :, 0, 0], expected, atol=1)


def test_the_same_seed_changes_in_the_same_way_inside_tf_data():
    options = ImageOptions()
    dataset = tf.data.Dataset.from_tensors(batch()).map(
        lambda images: augment(images, options, seed(7))
    )
    inside = next(iter(dataset))
    np.testing.assert_array_equal(inside, augment(batch(), options, seed(7)))
    assert (inside.numpy() != augment(batch(), options, seed(8)).numpy()).any()
