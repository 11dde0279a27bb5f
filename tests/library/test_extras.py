"""Extras: found by what is there, and named by the flags of those that are not."""

from __future__ import annotations

import shutil

import pytest

from library.config.fields import options_of
from library.extras import FLAGS, Extra, Extras, find_extras, missing_extra
from tests.conftest import ROOT, copy_project

PRESENT = {extra.name: extra for extra in find_extras().all}


def names_of(extra):
    """All flags, modes and choices that an extra adds."""
    options = [each for cls in (*extra.options, *extra.convert_options) for each in options_of(cls)]
    named = {each.name for each in options}
    # Two extras may offer formats, and either brings the options of all formats.
    of_formats = {'export_formats', 'min_agreement'} if extra.export_formats else set()
    return named | of_formats | {*extra.modes, *extra.sources, *extra.export_formats}


@pytest.mark.parametrize('name', PRESENT)
def test_the_table_of_flags_has_what_an_extra_declares(name):
    assert set(FLAGS.get(name, ())) == names_of(PRESENT[name])


def test_every_folder_of_extras_declares_itself_under_its_own_name():
    folders = {path.parent.name for path in ROOT.glob('extras/*/extra.py')}
    assert set(PRESENT) == folders


def test_a_name_leads_to_its_extra():
    assert missing_extra('cifar10') == 'array_sources'
    assert missing_extra('learning_rate') is None


def test_extras_are_joined_in_the_order_of_their_names():
    extras = Extras((Extra('a', sources={'x': 'm:X'}), Extra('b', sources={'y': 'm:Y'})))
    assert list(extras.joined('sources').items()) == [('x', 'm:X'), ('y', 'm:Y')]


@pytest.fixture(scope='module')
def bare(tmp_path_factory):
    """A clone whose owner deleted all extras."""
    folder = copy_project(tmp_path_factory.mktemp('bare'), 'run.py', 'convert_dataset.py')
    for name in PRESENT:
        shutil.rmtree(folder / 'extras' / name)
    return folder


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (
            ['convert_dataset.py', '--source', 'cifar10'],
            "--source: 'cifar10' is a choice of extras/array_sources, which this clone does not "
            'have',
        ),
        (
            ['convert_dataset.py', '--runner', 'DirectRunner'],
            '--runner: is an option of extras/beam, which this clone does not have',
        ),
        (
            ['run.py', '--data_service', 'localhost:1'],
            '--data_service: is an option of extras/data_service, which this clone does not have',
        ),
    ],
)
def test_without_an_extra_its_flags_and_choices_are_one_line_that_names_it(
    bare, program, words, message
):
    done = program(*words, cwd=bare)
    assert (done.returncode, done.stdout) == (2, '')
    assert done.stderr == f'error: {message}\n'
