"""What decides an image's stored bytes beside the image."""

from __future__ import annotations

import json

import PIL
import pytest

from library.preparation import recipe as recipe_module
from library.preparation.formats import EXTRA_FORMATS, FORMATS
from library.preparation.recipe import QUALITY, Recipe


def test_a_recipe_takes_the_usual_formats_and_quality():
    recipe = Recipe(384)
    assert (recipe.quality, recipe.formats) == (QUALITY, FORMATS)


def test_images_beside_a_data_set_are_stored_as_those_in_it():
    assert Recipe.of_stored(256, 95) == Recipe(256, 95)
    assert Recipe.of_stored(None, None) == Recipe(65_500, QUALITY)


@pytest.mark.parametrize(
    'other', [Recipe(383), Recipe(384, 79), Recipe(384, formats=(*FORMATS, EXTRA_FORMATS[0]))]
)
def test_another_recipe_has_another_fingerprint(other):
    assert Recipe(384).fingerprint() == Recipe(384).fingerprint()
    assert other.fingerprint() != Recipe(384).fingerprint()


def test_other_versions_of_decoders_and_of_this_program_are_other_recipes(monkeypatch):
    before = Recipe(384).fingerprint()
    monkeypatch.setattr(recipe_module, 'RECIPE_VERSION', 2)
    assert Recipe(384).fingerprint() != before
    monkeypatch.undo()
    monkeypatch.setattr(PIL, '__version__', '99')
    assert Recipe(384).fingerprint() != before


def test_a_fingerprint_names_the_codecs_and_is_written_as_json():
    fingerprint = Recipe(384).fingerprint()
    assert set(fingerprint['codecs']) == {'jpg', 'libjpeg_turbo', 'webp'}
    assert json.loads(json.dumps(fingerprint, sort_keys=True))['max_edge'] == 384
