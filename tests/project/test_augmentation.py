"""Random changes of an image, alone and inside tf.data."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from library.config.command_line import parse
from library.config.fields import option, options_of
from library.config.hparams import resolve
from library.inputs.augmentation import Augmentation
from project.augmentation import (
    AUGMENT_DRAWS,
    AUGMENTATIONS,
    LUMA,
    RandomColor,
    RandomCrop,
    augment,
    flipped,
)
from project.options import CATALOG
from tests.conftest import ROOT

NO_COLOR = ('--random_brightness=0', '--random_contrast=0', '--random_saturation=0')
# A draw of a half changes nothing.
NO_CHANGE = [0.5, 0.5, 0.5]


def image(size=8, low=0, high=256):
    pixels = np.random.default_rng(0).integers(low, high, (size, size, 3))
    return tf.constant(pixels, tf.float32)


def params(*words):
    """The values of a run, in the folder of the project's sets."""
    return resolve(CATALOG, parse(words, CATALOG))


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.chdir(ROOT)


def draws(number):
    return tf.random.stateless_uniform([AUGMENT_DRAWS], tf.constant([3, number], tf.int64))


def colored(pixels, strengths, values):
    changed = RandomColor(*strengths).change(tf.constant(pixels, tf.float32), tf.constant(values))
    assert changed.dtype == tf.uint8
    return changed.numpy().astype(int)


@pytest.mark.parametrize('axis', [0, 1])
def test_a_draw_under_a_half_mirrors_and_the_others_do_not(axis):
    before = image().numpy()
    mirrored = flipped(tf.constant(before), tf.constant(0.49), axis)
    np.testing.assert_array_equal(mirrored, np.flip(before, axis))
    np.testing.assert_array_equal(flipped(tf.constant(before), tf.constant(0.5), axis), before)


def test_about_half_of_the_images_are_mirrored():
    pixels = image()
    options = params(*NO_COLOR)
    mirrored = sum(
        bool((augment(pixels, options, draws(n)).numpy() != pixels.numpy()).any())
        for n in range(100)
    )
    assert 35 < mirrored < 65


def test_with_everything_off_the_images_are_only_rounded():
    pixels = image() * 0.9
    np.testing.assert_array_equal(
        augment(pixels, params('--no_random_flip', *NO_COLOR), draws(1)), np.floor(pixels + 0.5)
    )


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
    options = params()
    dataset = tf.data.Dataset.from_tensors(image()).map(
        lambda pixels: augment(pixels, options, draws(7))
    )
    inside = next(iter(dataset))
    np.testing.assert_array_equal(inside, augment(image(), options, draws(7)))
    assert (inside.numpy() != augment(image(), options, draws(8)).numpy()).any()


# Augmentations of one's own.


@dataclass(frozen=True)
class RandomDark(Augmentation):
    """Makes images darker."""

    random_dark: float = option(0.0, 'How dark.', low=0, high=1, changes_images=True)

    @property
    def is_on(self):
        return self.random_dark > 0

    def change(self, image, draws):
        return image * (1.0 - self.random_dark * draws[0])


def test_an_own_one_comes_last_and_leaves_the_draws_of_the_others_encoding_of(monkeypatch):
    mine = {kind: params().take(kind) for kind in AUGMENTATIONS.values()}
    before = augment(image(), params(), draws(7))
    monkeypatch.setitem(AUGMENTATIONS, 'dark', RandomDark)
    more = tf.random.stateless_uniform([AUGMENT_DRAWS + 1], tf.constant([3, 7], tf.int64))
    np.testing.assert_array_equal(more[:AUGMENT_DRAWS], draws(7))

    def augment_with(dark):
        chosen = SimpleNamespace(take={**mine, RandomDark: dark}.__getitem__)
        return augment(image(), chosen, more)

    np.testing.assert_array_equal(augment_with(RandomDark()), before)
    dark = augment_with(RandomDark(0.5))
    expected = np.asarray(before, np.float32) * (1 - 0.5 * float(more[-1]))
    np.testing.assert_allclose(dark, expected, atol=0.501)
    assert dark.dtype == tf.uint8


@pytest.mark.parametrize('kind', [RandomCrop, *AUGMENTATIONS.values()])
def test_every_option_of_an_augmentation_is_declared_to_change_images(kind):
    assert [each.name for each in options_of(kind) if not each.changes_images] == []


def test_one_that_is_not_declared_so_is_refused():
    @dataclass(frozen=True)
    class Careless(RandomDark):
        random_fog: float = option(0.0, 'How foggy.')

    with pytest.raises(TypeError, match="'random_fog' must be declared with changes_images=True"):
        Careless()


def test_only_augmentations_and_their_switch_change_training_images():
    named = {each.name for each in CATALOG.by_name.values() if each.changes_images}
    kinds = [RandomCrop, *AUGMENTATIONS.values()]
    assert named == {'augmentation', *(each.name for kind in kinds for each in options_of(kind))}
