"""Labelled images before they are records."""

from __future__ import annotations

import re

import pytest

from library.errors import DataError
from library.records.listing import (
    SPLIT_NAMES,
    LabelledImage,
    Listing,
    check_listing,
    is_split_name,
    usual_order,
)


def listing_of(*splits):
    images = (
        LabelledImage(str(number), 0, 'path', 1, split) for number, split in enumerate(splits)
    )
    return Listing(('cat',), tuple(images))


def test_a_listing_counts_its_images():
    assert (listing_of().examples, listing_of('train', '').examples) == (0, 2)
    assert listing_of('train', '').label_counts == (2,)


def test_images_without_a_split_give_no_splits():
    assert listing_of('', '').splits == ()


def test_splits_come_in_their_usual_order_and_others_behind_them_by_name():
    found = listing_of('test', 'holdout', 'train', '', 'validation', 'extra', 'train').splits
    assert found == ('train', 'validation', 'test', 'extra', 'holdout')


def test_folds_come_by_their_numbers():
    assert listing_of('fold10', 'other', 'fold2', 'fold1').splits == (
        *('fold1', 'fold2', 'fold10', 'other'),
    )


def test_what_people_call_splits_is_one_of_three():
    assert set(SPLIT_NAMES.values()) == {'train', 'validation', 'test'}
    assert {SPLIT_NAMES[name] for name in ('val', 'valid', 'dev')} == {'validation'}


@pytest.mark.process
def test_a_listing_needs_no_tensorflow(program):
    code = "import sys, library.records.listing; sys.exit('tensorflow' in sys.modules)"
    assert program('-c', code).returncode == 0


def refuses(message, *images, names=('cat', 'dog')):
    with pytest.raises(DataError, match=f'^{re.escape(message)}$'):
        check_listing(Listing(names, images, folder='/images'))
    assert DataError.exit_code == 3


def image(filename, label=0, split=''):
    return LabelledImage(filename, label, 'path', 1, split)


def test_a_listing_that_makes_sense_is_taken():
    images = (image('a', 0, 'train'), image('b', 1, 'my split'), image('c', 1, 'v1.5'))
    check_listing(Listing(('cat', 'dog'), images))
    check_listing(listing_of(''))


def test_a_listing_without_images_is_refused():
    refuses('/images: no images')


@pytest.mark.parametrize('label', [-1, 2, 1000])
def test_a_label_that_is_no_class_is_refused_with_its_image(label):
    message = f'/images: b has the label {label}, but there are 2 classes'
    refuses(message, image('a'), image('b', label), image('c'))


@pytest.mark.parametrize(
    ('names', 'name'),
    [
        (('cat', 'dog', 'cat'), 'cat'),
        (('cat', ''), ''),
        (('cat', 'a\nb'), 'a\nb'),
    ],
)
def test_class_names_that_are_no_names_or_no_others_are_refused(names, name):
    message = f'/images: {name!r} cannot be the name of a class, or is one twice'
    refuses(message, image('a'), names=names)


NO_SPLITS = ['../x', 'a/b', '/x', '..', '.x', 'tr\nain', 'a\0', 'a\x7f', 'a\\b']


@pytest.mark.parametrize('name', NO_SPLITS)
def test_a_split_that_cannot_be_a_folder_is_refused(name):
    message = f'/images: {name!r} cannot be the name of a split'
    refuses(message, image('a', split='train'), image('b', split=name))


def test_names_of_splits_may_be_anything_that_names_a_folder():
    assert [name for name in ('', *NO_SPLITS) if is_split_name(name)] == []
    names = ['train', 'Tr ain', 'v1.5', 'caf\udce9', '-x', 'a,b']
    assert [name for name in names if is_split_name(name)] == names


def test_a_file_under_two_labels_is_refused_with_both():
    message = "/images: b is listed as 'cat' and as 'dog': each picture has one class here"
    refuses(message, image('a'), image('b', 0), image('b', 1))


def test_files_that_are_listed_twice_are_refused():
    refuses('/images: b listed twice', image('a'), image('b'), image('b'))
    many = [image(name) for name in 'ccbbbaad']
    refuses('/images: a and 2 more listed twice', *many)


def test_the_usual_order_takes_each_name_once():
    assert usual_order(['b', 'test', 'a', 'train', 'b', 'test']) == ('train', 'test', 'a', 'b')
    assert usual_order([]) == ()
