"""convert_dataset.py with more than one split: what it says of splits, duplicates and classes."""

from __future__ import annotations

import re
import shutil

import pytest

from library.records.manifest import read_manifest
from tests.conftest import draw_images
from tests.converting import convert, flags

pytestmark = pytest.mark.graph

FRACTIONS = 'train=0.8,test=0.2'


def said(capsys, *words):
    """What the program says in the end, with the seconds struck out."""
    status, out, error = convert(capsys, *words)
    assert (status, error) == (0, '')
    return re.sub(r'[\d.]+ s:', 'SECONDS s:', out).splitlines()


def several(images, output, **others):
    return flags(images, output, tfrecord_filename=None, **others)


@pytest.fixture
def images(tmp_path):
    """Three classes of ten images."""
    return draw_images(tmp_path / 'images', per_class=10)


@pytest.fixture
def divided(tmp_path):
    """Images that lie in train/ and test/, four and two of each class."""
    for seed, (split, per_class) in enumerate({'train': 4, 'test': 2}.items()):
        draw_images(tmp_path / 'divided' / split, per_class, seed)
    return tmp_path / 'divided'


def test_splits_of_a_data_set_become_folders_and_a_table(divided, tmp_path, capsys):
    assert said(capsys, *several(divided, tmp_path / 'out')) == [
        'class       train        test',
        'blue            4           2',
        'green           4           2',
        'red             4           2',
        'all        12 67%       6 33%',
        '12 images of 3 classes in 2 shards (0 re-encoded, 0 rejected), SECONDS s: '
        f'{tmp_path}/out/train/train.json',
        '6 images of 3 classes in 2 shards (0 re-encoded, 0 rejected), SECONDS s: '
        f'{tmp_path}/out/test/test.json',
    ]


def test_fractions_divide_a_data_set_and_a_second_run_changes_nothing(images, tmp_path, capsys):
    words = several(images, tmp_path / 'out', splits=FRACTIONS, split_by='exact')
    first = said(capsys, *words)
    assert first[-3].split() == ['all', '24', '80%', '6', '20%']
    second = said(capsys, *words)
    assert second.pop(5) == 'kept: 4 of 4 shards, made from the same images'
    assert second == first


@pytest.mark.parametrize('split_by', ['hash', 'exact'])
def test_the_order_of_the_words_of_splits_moves_nothing(images, tmp_path, capsys, split_by):
    texts = ('train=.5,validation=.2,test=.3', 'test=.3,val=.2,train=.5')
    one, two = (
        said(capsys, *several(images, tmp_path / 'out', splits=text, split_by=split_by))
        for text in texts
    )
    two.remove('kept: 6 of 6 shards, made from the same images')
    assert one == two


def test_a_split_that_is_no_more_is_reported(images, tmp_path, capsys):
    fractions = 'train=0.6,validation=0.2,test=0.2'
    said(capsys, *several(images, tmp_path / 'out', splits=fractions))
    lines = said(capsys, *several(images, tmp_path / 'out', splits=FRACTIONS))
    assert lines[0] == 'removed: validation, a split of an earlier conversion'
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == ['test', 'train']


def test_a_class_that_a_split_lacks_is_a_warning(divided, tmp_path, capsys):
    shutil.rmtree(divided / 'test' / 'green')
    lines = said(capsys, *several(divided, tmp_path / 'out'))
    assert lines[0] == 'warning: test has no image of green'


def test_a_label_that_no_image_has_is_one_warning(divided, tmp_path, write, capsys):
    shutil.rmtree(divided / 'test' / 'green')
    names = write('red\ngreen\nviolet\nblue\n', 'labels.txt')
    lines = said(capsys, *several(divided, tmp_path / 'out', labels=names))
    assert lines[:2] == [
        'warning: no split has an image of violet (--labels)',
        'warning: test has no image of green',
    ]
    assert read_manifest(str(tmp_path / 'out' / 'test')).examples_per_class['violet'] == 0


def test_a_leak_between_splits_is_a_warning_and_dropping_mends_it(divided, tmp_path, capsys):
    shutil.copy(divided / 'test' / 'red' / '0.jpg', divided / 'train' / 'red' / 'copy.jpg')
    lines = said(capsys, *several(divided, tmp_path / 'out'))
    assert lines[:2] == [
        'the same picture: test/red/0.jpg, train/red/copy.jpg',
        'warning: duplicate images: 1 (1 in two splits, 0 under two '
        f'labels), listed in {tmp_path}/out/duplicates.csv (see --duplicates)',
    ]
    assert lines[-2].startswith('13 images of 3 classes')
    lines = said(capsys, *several(divided, tmp_path / 'out', duplicates='drop'))
    counts = '12 images of 3 classes in 2 shards (0 re-encoded, 0 rejected, 1 dropped)'
    assert lines[-2].startswith(counts)


def test_a_picture_under_two_labels_is_exit_code_3(divided, tmp_path, capsys):
    shutil.copy(divided / 'test' / 'red' / '0.jpg', divided / 'train' / 'blue' / 'copy.jpg')
    assert convert(capsys, *several(divided, tmp_path / 'out')) == (
        3,
        '',
        'error: the same picture under two labels: test/red/0.jpg and train/blue/copy.jpg; '
        f'see {tmp_path}/out/duplicates.csv (each picture has one class here: take it out of the '
        'others, or leave it out by --duplicates drop)\n',
    )
    assert said(capsys, *several(divided, tmp_path / 'out', duplicates='report'))


def test_a_leak_into_a_data_set_that_was_converted_before_is_a_warning(divided, tmp_path, capsys):
    shutil.copy(divided / 'test' / 'red' / '0.jpg', divided / 'train' / 'red' / 'copy.jpg')
    out = tmp_path / 'out'
    said(capsys, *flags(divided / 'train', out / 'train'))
    lines = said(capsys, *flags(divided / 'test', out / 'test', tfrecord_filename='test'))
    assert lines[0] == f'warning: 1 of these pictures are in {out}/train too'


def test_splits_and_a_name_for_one_are_exit_code_2(images, divided, tmp_path, capsys):
    assert convert(capsys, *flags(images, tmp_path / 'out', splits=FRACTIONS)) == (
        2,
        '',
        'error: --splits and --folds name the splits: leave out --tfrecord_filename, which names '
        'one\n',
    )
    assert convert(capsys, *flags(divided, tmp_path / 'out')) == (
        2,
        '',
        f'error: {divided}: has the splits train, test, so leave out --tfrecord_filename: each is '
        'named after itself\n',
    )
    assert not (tmp_path / 'out').exists()
