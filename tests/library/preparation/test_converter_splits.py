"""A whole conversion into several splits: who goes where."""

from __future__ import annotations

import csv
import random
import re
import shutil
from collections import Counter

import pytest

from library.errors import ConfigError, DataError
from library.preparation.pictures.picture_options import PictureOptions
from library.preparation.splits import parse_fractions
from library.records.manifest import check_same_classes, from_json
from library.records.split_folders import open_split
from tests.conftest import COLORS, draw_images
from tests.library.preparation.conversions import (
    FRACTIONS,
    contents,
    convert_images,
    convert_splits,
    counts,
    names_in,
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


def test_each_split_gets_a_folder_that_training_reads(divided, output):
    done = convert_splits(divided, output)
    assert list(done.manifests) == ['train', 'validation', 'test']
    for split, manifest in done.manifests.items():
        assert manifest.splits == ('train', 'validation', 'test')
        assert open_split(str(output), split) == manifest
        names = {'train': 'train', 'validation': 'val', 'test': 'test'}
        assert {name.split('/')[0] for name in names_in(manifest)} == {names[split]}
        assert sorted(path.name for path in (output / split).iterdir()) == [
            f'{split}-00000-of-00002.tfrecord',
            f'{split}-00001-of-00002.tfrecord',
            f'{split}.images.csv',
            f'{split}.json',
        ]


def test_all_splits_number_their_classes_alike_whatever_each_holds(divided, output):
    shutil.rmtree(divided / 'train' / 'blue')
    shutil.rmtree(divided / 'test' / 'red')
    done = convert_splits(divided, output)
    manifests = list(done.manifests.values())
    assert {manifest.class_names for manifest in manifests} == {('blue', 'green', 'red')}
    assert manifests[0].examples_per_class == {'blue': 0, 'green': 2, 'red': 2}
    assert manifests[2].examples_per_class == {'blue': 2, 'green': 2, 'red': 0}
    check_same_classes(manifests[0], manifests[2])


def test_splits_that_were_converted_one_by_one_may_hold_different_classes_and_are_reported(
    divided, output
):
    shutil.rmtree(divided / 'test' / 'red')
    train, test = (
        convert_images(divided / split, output / split, split).manifests[split]
        for split in ('train', 'test')
    )
    with pytest.raises(DataError, match='red only in the first, none only in the second'):
        check_same_classes(train, test)


def test_splits_that_were_converted_one_by_one_with_the_same_labels_fit(divided, output):
    shutil.rmtree(divided / 'test' / 'red')
    labels = ('red', 'green', 'blue', 'violet')
    train, test = (
        convert_images(divided / split, output / split, split, labels=labels).manifests[split]
        for split in ('train', 'test')
    )
    check_same_classes(train, test)
    assert train.examples_per_class == {'red': 2, 'green': 2, 'blue': 2, 'violet': 0}


def test_a_label_without_an_image_in_any_split_stays_a_class(divided, output):
    manifests = convert_splits(divided, output, labels=(*COLORS, 'violet')).manifests
    assert [each.examples_per_class['violet'] for each in manifests.values()] == [0, 0, 0]
    assert {each.class_names[-1] for each in manifests.values()} == {'violet'}


def test_pictures_shared_with_a_split_that_was_converted_before_are_counted(divided, output):
    for name in ('red/0.jpg', 'green/1.jpg'):
        copy(divided / 'train' / name, divided / 'test' / name)
    convert_images(divided / 'train', output / 'train', 'train')
    done = convert_images(divided / 'test', output / 'test', 'test')
    assert done.shared == {str(output / 'train'): 2}
    assert convert_images(divided / 'val', output / 'validation', 'validation').shared == {}


@pytest.mark.parametrize('split_by', ['hash', 'exact'])
def test_fractions_divide_a_folder_of_classes(images, output, split_by):
    done = convert_splits(images, output, fractions=FRACTIONS, split_by=split_by)
    assert sum(counts(done).values()) == 30
    if split_by == 'exact':
        assert counts(done) == {'train': 21, 'validation': 6, 'test': 3}
        for manifest in done.manifests.values():
            assert len(set(manifest.examples_per_class.values())) == 1
    options = {'max_edge': 64, 'quality': 80, 'random_seed': 0, 'split_by': split_by}
    options |= {'splits': FRACTIONS, 'pictures': PictureOptions().to_json()}
    assert done.manifests['test'].options == options


def test_fractions_divide_only_the_training_images_of_given_splits(divided, output):
    draw_images(divided / 'train', per_class=10, seed=7)
    shutil.rmtree(divided / 'val')
    done = convert_splits(
        divided, output, fractions=parse_fractions('train=0.8,validation=0.2'), split_by='exact'
    )
    assert counts(done) == {'train': 24, 'validation': 6, 'test': 6}
    assert {name.split('/')[0] for name in names_in(done.manifests['validation'])} == {'train'}


@pytest.mark.parametrize('split_by', ['hash', 'exact'])
def test_neither_names_nor_the_order_of_listing_decide(images, output, split_by, tmp_path):
    by_name = splits_of(convert_splits(images, output, fractions=FRACTIONS, split_by=split_by))
    order = [path.relative_to(images) for path in images.rglob('*.jpg')]
    random.Random(0).shuffle(order)
    for number, path in enumerate(order):
        copy(images / path, tmp_path / 'renamed' / path.parent / f'{number:02}.jpeg')
    renamed = splits_of(
        convert_splits(
            tmp_path / 'renamed', tmp_path / 'two', fractions=FRACTIONS, split_by=split_by
        )
    )
    for number, path in enumerate(order):
        assert renamed[f'{path.parent}/{number:02}.jpeg'] == by_name[str(path)]


def test_a_split_whose_images_are_all_bad_is_an_error(divided, output):
    for path in (divided / 'val').rglob('*.jpg'):
        path.write_bytes(b'')
    folder = output / 'validation'
    report = f'{folder}/validation.rejected.csv'
    expected = f'{folder}: none of its images is good; most often (6): empty file; see {report}'
    with pytest.raises(DataError, match=f'^{re.escape(expected)}$'):
        convert_splits(divided, output, max_bad_fraction=0.5)
    assert list(contents(output)) == ['validation/validation.rejected.csv']


def test_a_class_whose_images_are_all_bad_in_one_split_is_none(divided, output):
    for path in (divided / 'val' / 'red').iterdir():
        path.write_bytes(b'')
    done = convert_splits(divided, output, max_bad_fraction=0.5)
    assert done.manifests['validation'].examples_per_class['red'] == 0


def test_more_shards_than_images_of_a_split_are_refused(images, output):
    with pytest.raises(ConfigError, match='--num_shards 7 is more than the 6 images of validation'):
        convert_splits(images, output, fractions=FRACTIONS, split_by='exact', num_shards=7)


def test_dropping_keeps_the_copy_of_the_test_split_and_spares_the_budget(divided, output):
    copies = [divided / 'test' / color / '0.jpg' for color in COLORS]
    for path in copies:
        copy(path, divided / 'train' / path.parent.name / 'copy.jpg')
    done = convert_splits(divided, output, duplicates='drop', max_bad_fraction=0)
    assert counts(done) == {'train': 6, 'validation': 6, 'test': 6}
    with open(output / 'train' / 'train.rejected.csv', newline='') as file:
        _, *rows = csv.reader(file)
    reason = 'dropped: the same picture as test/{}/0.jpg'
    assert rows == [[f'train/{c}/copy.jpg', reason.format(c)] for c in sorted(COLORS)]
    with open(output / 'duplicates.csv', newline='') as file:
        _, *rows = csv.reader(file)
    assert Counter((row[1], row[2]) for row in rows) == {
        (split, color): 1 for split in ('train', 'test') for color in COLORS
    }


def test_dropping_leaves_out_both_under_two_labels(divided, output):
    copy(divided / 'train' / 'red' / '0.jpg', divided / 'test' / 'blue' / 'copy.jpg')
    with pytest.raises(DataError, match=r'^the same picture under two labels: test/blue/'):
        convert_splits(divided, output)
    assert list(contents(output)) == ['duplicates.csv']
    done = convert_splits(divided, output, duplicates='drop')
    assert counts(done) == {'train': 5, 'validation': 6, 'test': 6}
    assert done.manifests['test'].rejected[0].file == 'test/blue/copy.jpg'


def test_leaks_between_splits_are_reported_without_stopping(divided, output):
    copy(divided / 'train' / 'red' / '0.jpg', divided / 'test' / 'red' / 'copy.jpg')
    (group,) = convert_splits(divided, output).duplicates
    assert (group.leaks, group.conflicts) == (True, False)
    path = output / 'test' / 'test.json'
    assert from_json(path.read_bytes(), str(path)).examples == 7
