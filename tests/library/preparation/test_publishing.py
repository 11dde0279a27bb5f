"""Shards to their final names; temporary and older files to nothing."""

from __future__ import annotations

import pytest

from library import files
from library.errors import DataError
from library.preparation import publishing
from tests.library.preparation.conversions import Writer, contents, shards_of
from tests.library.preparation.three_shards import NOTE, ONE, THREE, TWO, Killed, convert

pytestmark = pytest.mark.graph


def stop_at(monkeypatch, function, calls):
    """Lets a function of `files` fail at one of its calls."""
    original = getattr(files, function)

    def call(*args, **options):
        nonlocal calls
        calls -= 1
        if not calls:
            raise Killed
        return original(*args, **options)

    monkeypatch.setattr(files, function, call)


def interrupt(monkeypatch, images, output, function, calls, **options):
    """Converts up to one call of one function of `files`."""
    with monkeypatch.context() as patch:
        stop_at(patch, function, calls)
        with pytest.raises(Killed):
            convert(images, output, **options)


def test_shards_are_renamed_once_all_are_written_and_the_manifest_comes_last(
    images, output, monkeypatch
):
    renamed = []

    def note(source, target, **options):
        renamed.append(target.rpartition('/')[2])
        replace(source, target, **options)

    replace = files.replace
    monkeypatch.setattr(files, 'replace', note)
    convert(images, output)
    notes = [f'{name}{NOTE}' for name in (ONE, TWO, THREE)]
    assert renamed == [*notes, 'train.images.csv', ONE, TWO, THREE, 'train.json']


@pytest.mark.parametrize('calls', range(5, 9))
def test_stopped_between_two_names_it_leaves_no_manifest(
    images, output, monkeypatch, undisturbed, calls
):
    convert(images, output, random_seed=1)
    interrupt(monkeypatch, images, output, 'replace', calls)
    assert not (output / 'train.json').exists()
    writer = Writer()
    done = convert(images, output, writer)
    assert (writer.prepared, done.kept) == ([], 3)
    assert contents(output) == undisturbed()


def test_shards_of_another_count_are_removed_and_other_data_sets_stay(images, output):
    convert(images, output, num_shards=5)
    others = ['test-00000-of-00001.tfrecord', 'test.json', 'train.txt', 'train2-00000.tfrecord']
    for name in others:
        (output / name).touch()
    convert(images, output)
    own = [ONE, TWO, THREE, 'train.json', 'train.images.csv']
    assert sorted(contents(output)) == sorted([*others, *own])


def test_temporary_files_that_nobody_finishes_are_removed(images, output):
    output.mkdir()
    for name in (
        'train-00006-of-00007.tfrecord.partial',
        'train-00006-of-00007.tfrecord.partial.json',
        'train-00006-of-00007.tfrecord.partial.json.partial',
        'train.json.partial',
        'train.rejected.csv.partial',
        'train.images.csv.partial',
        'notes.partial',
    ):
        (output / name).touch()
    convert(images, output)
    names = [ONE, TWO, THREE, 'train.images.csv', 'train.json']
    assert sorted(contents(output)) == sorted(['notes.partial', *names])


def test_a_budget_that_is_overrun_leaves_an_older_data_set_as_it_was(images, output):
    convert(images, output)
    before = contents(output)
    for number in range(4):
        (images / 'red' / f'{number}.jpg').write_bytes(b'')
    with pytest.raises(DataError, match='4 of 12 images are bad'):
        convert(images, output)
    after = contents(output)
    assert after.pop('train.rejected.csv').startswith(b'file,reason\nred/0.jpg,empty file\n')
    assert after == before


@pytest.mark.process
def test_finished_shards_are_looked_up_without_tensorflow(program):
    code = f"import sys, {publishing.__name__}; sys.exit('tensorflow' in sys.modules)"
    assert program('-c', code).returncode == 0


def test_nothing_of_a_conversion_is_left_but_what_it_is_for(images, output):
    convert(images, output)
    assert sorted(contents(output)) == [ONE, TWO, THREE, 'train.images.csv', 'train.json']
    assert sorted(shards_of(output)) == [ONE, TWO, THREE]
