"""A second conversion into several splits: what stays, moves, and goes."""

from __future__ import annotations

import shutil

import pytest

from library import files
from tests.conftest import COLORS, draw_images
from tests.library.preparation.conversions import (
    FRACTIONS,
    Writer,
    change_times,
    contents,
    convert_images,
    convert_splits,
    counts,
    splits_of,
)

pytestmark = pytest.mark.graph


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


@pytest.fixture
def images(tmp_path):
    """Three classes of ten images."""
    return draw_images(tmp_path / 'images', per_class=10)


@pytest.mark.parametrize('split_by', ['hash', 'exact'])
def test_images_that_are_added_move_none_that_was_there(images, output, split_by, tmp_path):
    before = splits_of(convert_splits(images, output, fractions=FRACTIONS, split_by=split_by))
    draw_images(tmp_path / 'more', per_class=10, seed=9)
    for path in (tmp_path / 'more').rglob('*.jpg'):
        copy(path, images / path.parent.name / f'0{path.name}')
    done = convert_splits(images, output, fractions=FRACTIONS, split_by=split_by)
    after = splits_of(done)
    assert {name: after[name] for name in before} == before
    assert len(after) == 60
    if split_by == 'exact':
        assert counts(done) == {'train': 42, 'validation': 12, 'test': 6}


def test_an_exact_split_assignment_stays_as_it_is_over_reruns_with_bad_images(images, output):
    for color in COLORS:
        for number in range(5):
            (images / color / f'{number}.jpg').write_bytes(f'{color}{number}'.encode())
    options = {'fractions': FRACTIONS, 'split_by': 'exact', 'max_bad_fraction': 0.5}
    done = convert_splits(images, output, **options)
    assert len({len(manifest.rejected) for manifest in done.manifests.values()} - {0}) > 1
    before, writer = change_times(output), Writer()
    convert_splits(images, output, writer=writer, **options)
    assert (writer.prepared, change_times(output)) == ([], before)


def test_a_split_of_an_earlier_conversion_that_is_no_more_is_removed(images, output):
    convert_splits(images, output, fractions=FRACTIONS, split_by='exact')
    done = convert_splits(images, output, fractions={'train': 0.5, 'test': 0.5}, split_by='exact')
    assert done.removed == ['validation']
    assert sorted(path.name for path in output.iterdir()) == ['test', 'train']
    assert convert_splits(images, output, fractions={'train': 0.5, 'test': 0.5}).removed == []


def test_a_split_that_another_conversion_made_stays(images, output, divided):
    convert_images(divided / 'val', output / 'validation', 'validation')
    before = contents(output / 'validation')
    done = convert_splits(images, output, fractions={'train': 0.5, 'test': 0.5})
    assert done.removed == []
    assert contents(output / 'validation') == before


def test_what_a_person_put_beside_a_split_stays_when_the_split_goes(images, output):
    convert_splits(images, output, fractions=FRACTIONS, split_by='exact')
    (output / 'validation' / 'notes.txt').touch()
    convert_splits(images, output, fractions={'train': 0.5, 'test': 0.5})
    assert list(contents(output / 'validation')) == ['notes.txt']


@pytest.mark.parametrize('calls', range(1, 8))
def test_stopped_while_it_removes_a_split_a_second_run_removes_the_rest(
    images, output, monkeypatch, calls
):
    halves = {'train': 0.5, 'test': 0.5}
    convert_splits(images, output, fractions=FRACTIONS, split_by='exact')

    def remove(path):
        nonlocal calls
        calls -= 1
        if not calls:
            raise KeyboardInterrupt
        original(path)

    original = files.remove
    with monkeypatch.context() as patch:
        patch.setattr(files, 'remove', remove)
        with pytest.raises(KeyboardInterrupt):
            convert_splits(images, output, fractions=halves, split_by='exact')
    convert_splits(images, output, fractions=halves, split_by='exact')
    assert sorted(path.name for path in output.iterdir()) == ['test', 'train']


def test_a_rerun_into_the_folder_of_images_writes_nothing_and_decodes_nothing(divided):
    convert_splits(divided, divided)
    before, writer = change_times(divided), Writer()
    done = convert_splits(divided, divided, writer=writer)
    assert (writer.prepared, change_times(divided)) == ([], before)
    assert list(done.manifests) == ['train', 'validation', 'test']
    assert done.manifests['train'].ignored == ()


EXACT = {'fractions': FRACTIONS, 'split_by': 'exact'}


@pytest.mark.parametrize(
    'older',
    [
        {**EXACT, 'fractions': {'train': 0.3, 'validation': 0.2, 'test': 0.5}},
        {**EXACT, 'fractions': {'train': 0.5, 'test': 0.5}},
        {**EXACT, 'random_seed': 1},
        {**EXACT, 'split_by': 'hash'},
    ],
)
def test_another_kind_of_split_assignment_is_made_anew(images, output, tmp_path, older):
    before = splits_of(convert_splits(images, output, **older))
    after = splits_of(convert_splits(images, output, **EXACT))
    assert after != before
    assert after == splits_of(convert_splits(images, tmp_path / 'fresh', **EXACT))
    assert contents(output) == contents(tmp_path / 'fresh')


def test_one_manifest_of_another_split_assignment_is_enough_to_assign_anew(
    images, output, tmp_path
):
    convert_splits(images, output, **EXACT, random_seed=1)
    for split in ('train', 'test'):
        (output / split / f'{split}.json').unlink()
    convert_splits(images, output, **EXACT)
    convert_splits(images, tmp_path / 'fresh', **EXACT)
    assert contents(output) == contents(tmp_path / 'fresh')


def test_a_split_assignment_is_kept_where_a_kill_left_no_manifests(images, output, tmp_path):
    before = splits_of(convert_splits(images, output, **EXACT))
    for split in FRACTIONS:
        (output / split / f'{split}.json').unlink()
    draw_images(tmp_path / 'more', per_class=4, seed=9)
    for path in (tmp_path / 'more').rglob('*.jpg'):
        copy(path, images / path.parent.name / f'0{path.name}')
    after = splits_of(convert_splits(images, output, **EXACT))
    assert {name: after[name] for name in before} == before
    fresh = splits_of(convert_splits(images, tmp_path / 'fresh', **EXACT))
    assert {name: fresh[name] for name in before} != before


def test_records_beside_the_splits_of_the_images_are_the_same_twice(divided):
    convert_splits(divided, divided / 'records')
    before, writer = change_times(divided / 'records'), Writer()
    done = convert_splits(divided, divided / 'records', writer=writer)
    assert (writer.prepared, change_times(divided / 'records')) == ([], before)
    assert list(done.manifests) == ['train', 'validation', 'test']
    assert done.manifests['train'].class_names == ('blue', 'green', 'red')
    assert done.manifests['train'].ignored == ()
