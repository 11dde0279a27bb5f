"""Pictures that are there more than once: found, listed, and resolved."""

from __future__ import annotations

import csv
import os
import re

import numpy as np
import pytest

from library.errors import DataError
from library.preparation.digests import content_digests
from library.preparation.duplicates import (
    find_duplicates,
    resolve_duplicates,
    shared_with_neighbours,
    write_duplicates,
)
from library.preparation.encoding_options import EncodingOptions
from library.preparation.output import Output, Target
from library.records.listing import LabelledImage, Unusable
from tests.conftest import draw_images
from tests.library.preparation.conversions import contents, convert_images

pytestmark = pytest.mark.graph

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 16, 16), dtype=np.uint8)


def image(filename, picture, label=0, split='train'):
    """An image whose content is one of a few pictures, or what is given instead."""
    content = PIXELS[picture] if isinstance(picture, int) else picture
    return LabelledImage(filename, label, content, 1, split)


def found(*images):
    return find_duplicates(images, content_digests(images), EncodingOptions(64))


def resolved(rule, *images):
    """The reasons why images are dropped, by their names."""
    kept = resolve_duplicates(images, found(*images), rule, listed_in='/out/duplicates.csv')
    assert [each.filename for each in kept] == [each.filename for each in images]
    return {
        each.filename: each.content.reason for each in kept if isinstance(each.content, Unusable)
    }


def names(groups):
    return [[each.filename for each in group.images] for group in groups]


def test_equal_pictures_are_grouped_whatever_their_names():
    groups = found(
        image('a', 0), image('b', 1), image('c', 0), image('d', 2), image('e', 1), image('f', 0)
    )
    assert names(groups) == [['a', 'c', 'f'], ['b', 'e']]


def test_pictures_that_differ_are_no_duplicates():
    assert found(*(image(str(number), number) for number in range(5))) == []


@pytest.mark.parametrize('content', [b'', b'<html>', b'\xff\xd8\xff', Unusable('a link')])
def test_files_that_are_equal_but_no_pictures_are_no_duplicates(content):
    assert found(image('a', content), image('b', content, label=1)) == []


def test_a_group_tells_of_two_labels_and_of_two_splits():
    (group,) = found(image('a', 0), image('b', 0))
    assert (group.conflicts, group.leaks) == (False, False)
    (group,) = found(image('a', 0, label=1), image('b', 0))
    assert (group.conflicts, group.leaks) == (True, False)
    (group,) = found(image('a', 0), image('b', 0, split='test'))
    assert (group.conflicts, group.leaks) == (False, True)


@pytest.mark.parametrize('rule', [None, 'report'])
def test_a_picture_that_is_there_twice_may_stay(rule):
    assert resolved(rule, image('a', 0), image('b', 0), image('c', 1)) == {}


def test_a_picture_under_two_labels_may_stay_where_that_is_asked_for():
    assert resolved('report', image('a', 0), image('b', 0, label=1)) == {}


def fails(message, rule, *images):
    with pytest.raises(DataError, match=f'^{re.escape(message)}$'):
        resolved(rule, *images)
    assert DataError.exit_code == 3


def test_a_picture_under_two_labels_stops_it_unless_a_rule_says_otherwise():
    fails(
        'the same picture under two labels: b and c; see /out/duplicates.csv '
        '(each picture has one class here: take it out of the others, or leave it out by '
        '--duplicates drop)',
        None,
        *(image('a', 1), image('b', 0), image('c', 0, label=1), image('d', 1)),
    )


def test_the_image_of_the_other_label_is_the_one_that_is_named():
    fails(
        'the same picture under two labels: a and c; see /out/duplicates.csv '
        '(each picture has one class here: take it out of the others, or leave it out by '
        '--duplicates drop)',
        None,
        *(image('a', 0), image('b', 0), image('c', 0, label=1)),
    )


def test_any_picture_that_is_there_twice_stops_it_where_that_is_asked_for():
    fails(
        'the same picture: a and b, and 1 more such pictures; see /out/duplicates.csv '
        '(--duplicates report or drop goes on)',
        'error',
        *(image('a', 0), image('b', 0), image('c', 1), image('d', 1, label=1)),
    )


def test_dropping_keeps_the_first_name():
    reasons = resolved('drop', image('a', 0), image('b', 0), image('c', 1), image('d', 0))
    same = 'dropped: the same picture as a'
    assert reasons == {'b': same, 'd': same}


@pytest.mark.parametrize('kept', ['test', 'validation', 'train', 'extra'])
def test_dropping_keeps_the_copy_that_measures_rather_than_the_one_that_trains(kept):
    order = ['test', 'validation', 'train', 'extra']
    splits = order[order.index(kept) :]
    reasons = resolved(
        'drop', *(image(f'{9 - order.index(split)}', 0, split=split) for split in splits)
    )
    name = f'{9 - order.index(kept)}'
    others = [f'{9 - order.index(split)}' for split in splits[1:]]
    assert reasons == dict.fromkeys(others, f'dropped: the same picture as {name}')


def test_dropping_trusts_no_label_of_a_picture_that_has_two():
    reasons = resolved('drop', image('a', 0), image('b', 0, label=1, split='test'), image('c', 1))
    assert reasons == {
        'a': 'dropped: the same picture as b under another label',
        'b': 'dropped: the same picture as a under another label',
    }


def rows_of(path):
    with open(path, newline='', encoding='utf-8', errors='surrogateescape') as file:
        return list(csv.reader(file))


def test_the_list_puts_equal_pictures_side_by_side(tmp_path):
    output = Output(str(tmp_path), None)
    name = os.fsdecode(b'caf\xe9, 1')
    groups = found(image('a', 0), image('b', 1), image(name, 0, label=1), image('d', 1, 0, 'test'))
    write_duplicates(output, groups, ('cat', 'dog'))
    head, *rows = rows_of(tmp_path / 'duplicates.csv')
    assert head == ['sha256', 'split', 'class', 'file']
    assert [row[1:] for row in rows] == [
        ['train', 'cat', 'a'],
        ['train', 'dog', name],
        ['train', 'cat', 'b'],
        ['test', 'cat', 'd'],
    ]
    assert [row[0] for row in rows] == [g.digest.hex() for g in groups for _ in range(2)]


def test_the_list_goes_once_there_are_no_duplicates(tmp_path):
    output = Output(str(tmp_path), 'train')
    write_duplicates(output, found(image('a', 0), image('b', 0)), ('cat',))
    assert list(contents(tmp_path)) == ['train.duplicates.csv']
    write_duplicates(output, [], ('cat',))
    assert contents(tmp_path) == {}


@pytest.fixture
def neighbours(tmp_path):
    """dataset/train and dataset/test, converted one by one."""
    for split, seed in (('train', 0), ('test', 1)):
        images = draw_images(tmp_path / 'images' / split, per_class=2, seed=seed)
        convert_images(images, tmp_path / 'dataset' / split, split)
    return tmp_path


def shared(folder, images):
    digests = content_digests([image(str(path), str(path)) for path in images.rglob('*.jpg')])
    return shared_with_neighbours(Target(str(folder / 'dataset' / 'train'), 'train'), digests)


def test_pictures_that_a_folder_beside_it_holds_too_are_counted(neighbours):
    folder = str(neighbours / 'dataset' / 'test')
    assert shared(neighbours, neighbours / 'images' / 'train') == {}
    assert shared(neighbours, neighbours / 'images' / 'test') == {folder: 6}


def test_folders_beside_it_that_no_conversion_wrote_are_passed_over(neighbours):
    for path in ('dataset/notes/notes.txt', 'dataset/odd/odd.images.csv', 'dataset/file'):
        (neighbours / path).parent.mkdir(exist_ok=True)
        (neighbours / path).write_bytes(b'\xff\x00,sha256\n')
    assert list(shared(neighbours, neighbours / 'images' / 'test')) == [
        str(neighbours / 'dataset' / 'test')
    ]


def test_a_folder_above_that_may_not_be_listed_shares_nothing(neighbours, monkeypatch):
    def closed(folder):
        raise PermissionError(13, 'Permission denied', folder)

    monkeypatch.setattr(os, 'listdir', closed)
    assert shared_with_neighbours(Target(str(neighbours / 'dataset' / 'train'), 'train'), []) == {}


def test_neighbours_may_have_any_name(tmp_path):
    one, two = tmp_path / 'data' / 'Monday, the 1st', tmp_path / 'data' / os.fsdecode(b'caf\xe9')
    images = draw_images(tmp_path / 'images', per_class=2)
    convert_images(images, one, 'my flowers')
    os.rename(one, two)
    assert convert_images(images, tmp_path / 'data' / 'x', 'train').shared == {str(two): 6}


def test_neighbours_are_found_from_within_the_folder(neighbours, monkeypatch):
    monkeypatch.chdir(neighbours / 'dataset' / 'train')
    paths = (neighbours / 'images' / 'test').rglob('*.jpg')
    digests = content_digests([image(str(path), str(path)) for path in paths])
    folder = str(neighbours / 'dataset' / 'test')
    for here in ('.', '../train/'):
        assert shared_with_neighbours(Target(here, 'train'), digests) == {folder: 6}
