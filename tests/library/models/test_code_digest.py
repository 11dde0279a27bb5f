"""Digests of code."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from library.models.code_digest import ROOMS, code_digest, digest_of_files, features_digest
from project.input_fn import input_fn
from project.models.hub import HubModel
from tests.conftest import ROOT

PLACES = ('project', *(f'library/{room}' for room in ROOMS))


@pytest.fixture
def places(tmp_path):
    """A copy of all code that counts, to edit it."""
    for place in PLACES:
        without = shutil.ignore_patterns('__pycache__')
        shutil.copytree(ROOT / place, tmp_path / place, ignore=without)
    return [str(tmp_path / place) for place in PLACES]


def test_an_edit_of_any_file_of_the_project_and_of_these_rooms_is_noticed(places):
    before = digest_of_files(places)
    paths = [path for place in places for path in Path(place).rglob('*.py')]
    assert len(paths) > 40
    for path in paths:
        text = path.read_text()
        path.write_text(text + '\nEDITED = 1\n')
        assert digest_of_files(places) != before, path
        path.write_text(text)
    assert digest_of_files(places) == before


def test_a_new_file_is_noticed_and_other_files_are_not(places):
    before = digest_of_files(places)
    Path(places[0], 'notes.txt').write_text('')
    assert digest_of_files(places) == before
    Path(places[0], 'models', 'mine.py').write_text('')
    assert digest_of_files(places) != before


def test_where_the_code_lies_does_not_matter(places):
    assert digest_of_files(places) == code_digest(HubModel)


def test_pixels_and_features_follow_from_the_same_code():
    assert code_digest(input_fn) == code_digest(HubModel)


def test_the_rooms_hold_what_makes_pixels_and_features():
    for module in ('inputs/decoding', 'inputs/image_source', 'inputs/augmentation', 'models/model'):
        assert module.partition('/')[0] in ROOMS
        assert (ROOT / 'library' / f'{module}.py').is_file()


def test_a_project_of_one_file_is_digested_too(tmp_path):
    path = tmp_path / 'alone.py'
    path.write_text('ONE = 1\n')
    before = digest_of_files([str(path)])
    path.write_text('ONE = 2\n')
    assert digest_of_files([str(path)]) != before


def test_features_follow_from_the_module_too():
    first, second = (features_digest(module, HubModel) for module in 'ab')
    assert first != second
    assert len(first) == 64
