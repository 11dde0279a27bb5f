"""The sources of images by name, and the one that fits what a person has."""

from __future__ import annotations

import re

import pytest

from library.errors import ConfigError
from library.preparation.sources.registry import check_flags, find_source, joined, source_class
from library.preparation.sources.source import Source
from project.sources import SOURCES
from tests.conftest import draw_images

pytestmark = pytest.mark.unit


@pytest.mark.parametrize('name', SOURCES)
def test_every_source_is_a_class_of_the_interface(name):
    assert issubclass(source_class(SOURCES, name), Source)
    assert not source_class(SOURCES, name).__abstractmethods__


def test_the_folder_comes_last_for_it_fits_every_folder(tmp_path):
    assert list(SOURCES)[-1] == 'folder'
    assert source_class(SOURCES, 'folder').fits(str(tmp_path))


def test_sources_of_extras_come_behind_the_projects_own_and_before_the_folder():
    own = {'mine': 'm:Mine', **SOURCES}
    names = ['mine', *list(SOURCES)[:-1], 'x', 'folder']
    assert list(joined(own, {'x': 'm:X'})) == names
    assert joined({'mine': 'm:Mine'}, {}) == {'mine': 'm:Mine'}


def test_a_folder_of_classes_is_a_folder(tmp_path):
    assert find_source(SOURCES, str(draw_images(tmp_path, per_class=1))) == 'folder'


def test_a_csv_file_is_a_csv_file(tmp_path):
    (tmp_path / 'labels.csv').write_text('path,label\n')
    assert find_source(SOURCES, str(tmp_path / 'labels.csv')) == 'csv'


def test_nothing_at_all_is_a_usage_error(tmp_path):
    expected = rf'^{tmp_path}/gone: no such folder or file \(--dataset_dir\)$'
    with pytest.raises(ConfigError, match=expected):
        find_source(SOURCES, str(tmp_path / 'gone'))
    assert ConfigError.exit_code == 2


def test_a_file_that_no_source_knows_is_a_usage_error_that_names_the_sources(tmp_path):
    path = tmp_path / 'film.mp4'
    path.touch()
    expected = f'{path}: no source knows this (--source is one of {", ".join(SOURCES)})'
    with pytest.raises(ConfigError, match=f'^{re.escape(expected)}$'):
        find_source(SOURCES, str(path))


@pytest.mark.parametrize('name', SOURCES)
def test_a_source_takes_its_own_flags(name):
    check_flags(SOURCES, source_class(SOURCES, name).own_flags, name)
    check_flags(SOURCES, ['dataset_dir', 'labels', 'max_edge'], name)


def test_a_flag_of_another_source_is_refused_by_name():
    expected = '--path_column is an option of the source csv, not of folder'
    with pytest.raises(ConfigError, match=f'^{expected}$'):
        check_flags(SOURCES, ['dataset_dir', 'path_column'], 'folder')


@pytest.mark.process
def test_the_sources_need_no_tensorflow_to_be_found(program, tmp_path):
    code = (
        'import sys; '
        'from library.preparation.sources.registry import find_source, source_class; '
        'from project.sources import SOURCES; '
        '[source_class(SOURCES, name) for name in SOURCES]; '
        'find_source(SOURCES, sys.argv[1]); '
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert program('-c', code, draw_images(tmp_path, per_class=1)).returncode == 0
