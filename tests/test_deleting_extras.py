"""A clone whose owner deleted extras, one or all: it is whole, and knows nothing of them."""

from __future__ import annotations

import re
import shutil

import pytest

from library.extras import FLAGS
from tests.clones import BARE, EXTRAS, assert_green, copy_bare_clone, copy_clone
from tests.conftest import ROOT, draw_images
from tests.forked import forked

PROGRAMS = ('run.py', 'convert_dataset.py')
LINT = [('ruff', 'check'), ('ruff', 'format', '--check')]
# Whether tests pass and are collected does not depend on what a failing `assert` shows, which takes
# as long as all else that a collection does.
PLAIN = ('pytest', '--assert=plain')


@pytest.fixture(scope='module', params=EXTRAS)
def deleted(request):
    return request.param


@pytest.fixture(scope='module')
def clone(deleted, tmp_path_factory):
    """A clone without one extra."""
    folder = copy_clone(tmp_path_factory.mktemp('clone'))
    shutil.rmtree(folder / 'extras' / deleted)
    return folder


@pytest.fixture(scope='module', params=BARE)
def bare(request, tmp_path_factory):
    """A clone without any extra."""
    return copy_bare_clone(tmp_path_factory.mktemp('bare'), request.param)


def shown_of(folder, extras):
    """The flags, modes and choices of extras that the help of both programs shows."""
    shown = ''.join(assert_green(forked(folder / name, '--help', cwd=folder)) for name in PROGRAMS)
    words = set(re.findall(r'[\w-]+', shown))
    # A flag such as --report may be a word as well, but a mode and a choice are nothing else.
    flags = {f'--{no}{flag}' for name in extras for flag in FLAGS[name] for no in ('', 'no_')}
    chosen = {
        each
        for name in extras
        for names in (EXTRAS[name].modes, EXTRAS[name].sources, EXTRAS[name].export_formats)
        for each in names
    }
    return words & (flags | chosen)


def assert_trains(folder, place):
    """Trains two steps on noise; asserts that they are kept."""
    words = [folder / 'run.py', '--use_synthetic_data', '--model', 'simple', '--image_size', 32]
    words += ['--synthetic_examples', 8, '--train_batch_size', 4, '--train_epochs', 1]
    words += ['--model_dir', place / 'run', '--best_model_dir', place / 'best']
    assert_green(forked(*words, cwd=folder))
    assert (place / 'run' / 'model.ckpt-2.index').exists()


def test_the_help_of_the_whole_clone_shows_what_extras_have():
    shown = shown_of(ROOT, EXTRAS)
    assert {each.lstrip('-') for each in shown} >= {flag for name in EXTRAS for flag in FLAGS[name]}


def test_without_an_extra_the_style_checks_pass(clone, program):
    for words in LINT:
        assert_green(program('-m', *words, cwd=clone))


def test_without_an_extra_all_tests_are_collected(clone, deleted):
    collected = assert_green(forked('-m', *PLAIN, '--collect-only', cwd=clone))
    assert 'tests/test_run.py::' in collected
    assert f'\nextras/{deleted}/' not in collected


def test_without_an_extra_the_help_shows_nothing_of_it(clone, deleted):
    assert shown_of(clone, [deleted]) == set()


def test_without_an_extra_a_run_trains(clone, tmp_path):
    assert_trains(clone, tmp_path)


def test_without_extras_the_checks_of_style_and_types_pass(bare, program, tmp_path_factory):
    # As `make lint` does; mypy checks again only what differs between the two clones.
    there = [name for name in ('library', 'project', 'extras') if (bare / name).is_dir()]
    checked = tmp_path_factory.getbasetemp() / 'mypy'
    for words in (*LINT, ('mypy', '--cache-dir', checked, *PROGRAMS, *there)):
        assert_green(program('-m', *words, cwd=bare))


def test_without_extras_the_help_shows_nothing_of_them(bare):
    assert shown_of(bare, EXTRAS) == set()


def test_without_extras_a_run_trains(bare, tmp_path):
    assert_trains(bare, tmp_path)


def test_without_extras_images_are_converted(bare, tmp_path):
    words = ['--dataset_dir', draw_images(tmp_path / 'images', per_class=2)]
    words += ['--tfrecord_dir', tmp_path, '--tfrecord_filename', 'train', '--max_edge', 32]
    assert_green(forked(bare / 'convert_dataset.py', *words, cwd=bare))
    assert (tmp_path / 'train.json').exists()


def test_without_extras_all_tests_are_collected(bare):
    collected = assert_green(forked('-m', *PLAIN, '--collect-only', cwd=bare))
    assert 'tests/test_run.py::' in collected
    assert '\nextras/' not in collected


# These two run many tests, beside others: a busy machine takes its time.
@pytest.mark.timeout(1600)
def test_without_extras_the_unit_tests_pass(bare, program):
    words = ('-m', *PLAIN, '-m', 'unit', '-n', 2)
    assert ' passed' in assert_green(program(*words, cwd=bare, timeout=1500))


@pytest.mark.timeout(2600)
@pytest.mark.parametrize('bare', ['no folder extras'], indirect=True)
def test_without_extras_the_graph_tests_pass(bare, program):
    words = ('-m', *PLAIN, '-m', 'graph', '-n', 2)
    assert ' passed' in assert_green(program(*words, cwd=bare, timeout=2500))
