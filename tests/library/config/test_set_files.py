"""A file of sets is taken from the working folder, else from beside the program."""

from __future__ import annotations

import pytest

from library.config.command_line import parse
from library.config.hparams import resolve
from library.config.set_files import find_set_file
from tests.library.config.trees import CATALOG

SETS = {'project.yaml': 'default:\n  years: 3\n', 'hyperparameters.yaml': 'default:\n  rate: 0.5\n'}


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """Two folders beside the program, of which the second has both files; works elsewhere."""
    for name in ('first', 'second', 'elsewhere'):
        (tmp_path / name).mkdir()
    for name, text in SETS.items():
        (tmp_path / 'second' / name).write_text(text)
    monkeypatch.chdir(tmp_path / 'elsewhere')
    return [str(tmp_path / name) for name in ('first', 'second')]


def test_a_file_that_the_working_folder_lacks_is_found_beside_the_program(beside):
    assert find_set_file('project.yaml', beside) == f'{beside[1]}/project.yaml'


def test_a_file_in_the_working_folder_comes_first(beside, tmp_path):
    (tmp_path / 'elsewhere' / 'project.yaml').write_text('default:\n')
    assert find_set_file('project.yaml', beside) == 'project.yaml'


def test_a_folder_or_broken_link_of_that_name_is_not_passed_over_in_silence(beside, tmp_path):
    (tmp_path / 'elsewhere' / 'project.yaml').mkdir()
    (tmp_path / 'elsewhere' / 'hyperparameters.yaml').symlink_to('nowhere')
    for name in SETS:
        assert find_set_file(name, beside) == name


@pytest.mark.parametrize('path', ['./project.yaml', 'sets/project.yaml', 'gs://b/project.yaml'])
def test_a_path_with_folders_means_that_file_alone(beside, path):
    assert find_set_file(path, beside) == path


def test_a_file_that_is_nowhere_keeps_its_name_for_the_message(beside):
    assert find_set_file('other.yaml', beside) == 'other.yaml'


def test_values_from_a_file_beside_the_program_say_so(beside):
    catalog = type(CATALOG)(CATALOG.always, CATALOG.selectors, CATALOG.aliases, beside)
    hparams = resolve(catalog, parse([], catalog, ['train']))
    assert (hparams.years, hparams.origin('years')) == (3, f'{beside[1]}/project.yaml:2')
    assert (hparams.rate, hparams.origin('rate')) == (0.5, f'{beside[1]}/hyperparameters.yaml:2')
    assert hparams.config_file == 'project.yaml'
