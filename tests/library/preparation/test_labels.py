"""Class names from a file, and a listing numbered by them."""

from __future__ import annotations

import os
import re
from unicodedata import normalize

import pytest

from library.errors import ConfigError, DataError
from library.preparation.labels import read_labels, relabel, sorted_names
from library.records.listing import LabelledImage, Listing, check_listing
from library.records.manifest import Manifest


def listing_of(*class_names):
    """One image of each class."""
    images = (
        LabelledImage(f'{name}/0.jpg', label, 'path', 1) for label, name in enumerate(class_names)
    )
    return Listing(class_names, tuple(images), folder='/images')


def numbers(listing):
    return {image.filename.split('/')[0]: image.label for image in listing.images}


@pytest.mark.parametrize(
    'text',
    ['cat\ndog\n', 'cat\ndog', 'cat\r\ndog\r\n', '\n  cat \n\n dog\n\n', '\ufeffcat\ndog\n'],
)
def test_names_stand_one_a_line_in_the_order_of_their_numbers(write, text):
    assert read_labels(str(write(text, 'labels.txt'))) == ('cat', 'dog')


def test_names_need_no_order_and_may_hold_spaces(write):
    path = write('tabby cat\ndog\nAardvark\n', 'labels.txt')
    assert read_labels(str(path)) == ('tabby cat', 'dog', 'Aardvark')


def test_names_that_are_no_utf8_are_kept(write):
    path = write(b'caf\xe9\ncat\n', 'labels.txt')
    assert read_labels(str(path)) == (os.fsdecode(b'caf\xe9'), 'cat')


def test_the_names_of_a_manifest_are_taken_from_it(write):
    manifest = Manifest(('dog', 'cat'), {'dog': 0, 'cat': 0}, ())
    assert read_labels(str(write(manifest.to_json(), 'train.json'))) == ('dog', 'cat')


@pytest.mark.parametrize('given', ['run', 'run/checkpoints'])
def test_the_names_of_a_run_are_taken_from_its_directory(tmp_path, given):
    (tmp_path / 'run' / 'checkpoints').mkdir(parents=True)
    (tmp_path / 'run' / 'checkpoints' / 'hparams.yaml').write_text("class_names: [dog, '7']\n")
    assert read_labels(str(tmp_path / given)) == ('dog', '7')


def test_a_folder_without_a_run_and_a_run_without_classes_are_usage_errors(tmp_path):
    with pytest.raises(ConfigError, match=r'neither a file of class names nor a run \(--labels\)'):
        read_labels(str(tmp_path))
    (tmp_path / 'hparams.yaml').write_text('learning_rate: 0.1\n')
    with pytest.raises(ConfigError, match=r'does not name its classes \(--labels\)'):
        read_labels(str(tmp_path))


def test_a_damaged_manifest_is_not_read_as_names(write):
    path = write('{"format": "image-classification-tfrecords"', 'train.json')
    with pytest.raises(DataError, match=r'train\.json: not a manifest of converted images'):
        read_labels(str(path))


def test_a_missing_file_is_a_usage_error(tmp_path):
    path = str(tmp_path / 'gone.txt')
    with pytest.raises(ConfigError, match=rf'^{path}: no such file \(--labels\)$'):
        read_labels(path)


@pytest.mark.parametrize('text', ['', '\n \n'])
def test_a_file_without_names_is_a_usage_error(write, text):
    path = write(text, 'labels.txt')
    with pytest.raises(ConfigError, match=rf'^{path}: holds no class names \(--labels\)$'):
        read_labels(str(path))


def test_names_given_twice_are_a_usage_error_that_names_them(write):
    path = write('cat\ndog\ncat\nbird\ndog\n', 'labels.txt')
    expected = rf"^{path}: names 'cat', 'dog' twice \(--labels\)$"
    with pytest.raises(ConfigError, match=expected):
        read_labels(str(path))


def test_classes_are_numbered_as_the_names_say():
    listing = relabel(listing_of('bird', 'cat', 'dog'), ('dog', 'cat', 'bird'))
    assert listing.class_names == ('dog', 'cat', 'bird')
    assert numbers(listing) == {'bird': 2, 'cat': 1, 'dog': 0}


def test_two_forms_of_an_accent_are_one_name():
    forms = [normalize(form, 'café') for form in ('NFC', 'NFD')]
    for own, other in (forms, forms[::-1]):
        listing = relabel(listing_of(own, 'dog'), ('dog', other))
        assert (listing.class_names, numbers(listing)) == (('dog', other), {own: 1, 'dog': 0})


@pytest.mark.parametrize(
    ('before', 'expected'),
    [
        ((), ('0', '2', '10')),
        (('0', '10', '2'), ('0', '10', '2')),
        (('0', '2', '10'), ('0', '2', '10')),
        (('0', '10'), ('0', '2', '10')),
        (('10', '2', '7'), ('0', '10', '2')),
        (('cat', 'dog'), ('0', '2', '10')),
    ],
)
def test_numbers_are_sorted_as_numbers_unless_they_were_sorted_as_texts(before, expected):
    assert sorted_names({'10', '0', '2'}, before) == expected
    assert sorted_names({'10', '0', 'b'}, before) == ('0', '10', 'b')


def test_there_may_be_more_names_than_classes():
    listing = relabel(listing_of('cat'), ('bird', 'cat', 'dog'))
    assert listing.class_names == ('bird', 'cat', 'dog')
    assert numbers(listing) == {'cat': 1}


def test_nothing_else_of_a_listing_changes():
    one = Listing(('cat',), listing_of('cat').images, ('notes.txt',), '/images')
    other = relabel(one, ('bird', 'cat'))
    assert (other.ignored, other.folder) == (('notes.txt',), '/images')
    assert other.images == (LabelledImage('cat/0.jpg', 1, 'path', 1),)


def test_a_class_without_a_name_is_an_error_that_lists_it():
    expected = "/images: holds classes that --labels does not name: 'bird', 'dog'"
    with pytest.raises(DataError, match=f'^{expected}$'):
        relabel(listing_of('bird', 'cat', 'dog'), ('cat',))
    assert DataError.exit_code == 3


def test_of_many_classes_without_a_name_a_few_are_shown():
    expected = "does not name: 'c0', 'c1', 'c2', 'c3', 'c4' ..."
    with pytest.raises(DataError, match=f'{re.escape(expected)}$'):
        relabel(listing_of(*(f'c{number}' for number in range(9))), ('cat',))


def test_whole_numbers_are_positions_among_the_names():
    listing = relabel(listing_of('0', '10', '2'), tuple('abcdefghijk'))
    assert listing.class_names == tuple('abcdefghijk')
    assert numbers(listing) == {'0': 0, '10': 10, '2': 2}


def test_whole_numbers_that_are_names_themselves_are_those_names():
    assert numbers(relabel(listing_of('1', '2'), ('2', '1'))) == {'1': 1, '2': 0}


def test_a_number_beyond_the_names_is_an_error_that_says_the_range():
    expected = "/images: label '3', '7' is out of range: --labels has 3 classes, 0 to 2"
    with pytest.raises(DataError, match=f'^{re.escape(expected)}$'):
        relabel(listing_of('0', '3', '7'), ('a', 'b', 'c'))


def test_numbers_are_no_positions_where_a_class_is_no_number():
    with pytest.raises(DataError, match=r"does not name: '0'$"):
        relabel(listing_of('0', 'cat'), ('cat', 'dog'))


def test_many_names_are_read_and_given_at_once(write):
    names = tuple(f'class {number:05}' for number in range(20_000))
    path = write('\n'.join(reversed(names)), 'labels.txt')
    listing = relabel(listing_of(*names), read_labels(str(path)))
    check_listing(listing)
    assert listing.class_names == names[::-1]
    assert [image.label for image in listing.images] == list(range(20_000))[::-1]
