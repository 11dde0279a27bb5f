"""Give many tests of conversions the images, and the folder for what becomes of them."""

from __future__ import annotations

import pytest

from tests.conftest import draw_images


@pytest.fixture
def images(tmp_path):
    """Three classes of four images."""
    return draw_images(tmp_path / 'images', per_class=4)


@pytest.fixture
def divided(tmp_path):
    """Images that lie in train/, val/ and test/, two of each class in each."""
    for seed, split in enumerate(('train', 'val', 'test')):
        draw_images(tmp_path / 'divided' / split, per_class=2, seed=seed)
    return tmp_path / 'divided'


@pytest.fixture
def output(tmp_path):
    return tmp_path / 'records'


@pytest.fixture
def undisturbed(images, tmp_path):
    """What a conversion of `images` into three shards writes, in the end."""
    # Unit tests have this file too, and no TensorFlow.
    from tests.library.preparation.conversions import contents
    from tests.library.preparation.three_shards import convert

    def call(**options):
        convert(images, tmp_path / 'undisturbed', **options)
        return contents(tmp_path / 'undisturbed')

    return call
