"""Folders of classes below folders of splits."""

from __future__ import annotations

import re

import pytest

from library.errors import DataError
from tests.library.preparation.sources.test_folder import labels, listed, manifest, unusable, write


def told(listing):
    return [remark.text for remark in listing.remarks]


def splits(listing):
    return {image.filename: image.split for image in listing.images}


def test_folders_named_after_splits_that_hold_folders_give_the_splits(tmp_path):
    write(tmp_path, 'train/cat/1.jpg', 'train/dog/2.jpg', 'test/cat/1.jpg', 'val/dog/deep/1.jpg')
    listing = listed(tmp_path)
    assert splits(listing) == {
        'test/cat/1.jpg': 'test',
        'train/cat/1.jpg': 'train',
        'train/dog/2.jpg': 'train',
        'val/dog/deep/1.jpg': 'validation',
    }
    assert listing.splits == ('train', 'validation', 'test')
    assert listing.class_names == ('cat', 'dog')


@pytest.mark.parametrize(
    ('name', 'split'),
    [
        ('validation', 'validation'),
        ('valid', 'validation'),
        ('val', 'validation'),
        ('dev', 'validation'),
        ('Test', 'test'),
        ('TESTING', 'test'),
    ],
)
def test_splits_go_by_the_names_that_people_use(tmp_path, name, split):
    write(tmp_path, 'Training/cat/1.jpg', f'{name}/cat/1.jpg')
    assert splits(listed(tmp_path)) == {'Training/cat/1.jpg': 'train', f'{name}/cat/1.jpg': split}


def test_all_splits_share_one_numbering_of_the_classes(tmp_path):
    write(tmp_path, 'train/b/1.jpg', 'train/c/1.jpg', 'test/a/1.jpg', 'test/c/1.jpg')
    listing = listed(tmp_path)
    assert listing.class_names == ('a', 'b', 'c')
    assert labels(listing) == {
        'test/a/1.jpg': 0,
        'test/c/1.jpg': 2,
        'train/b/1.jpg': 1,
        'train/c/1.jpg': 2,
    }


@pytest.mark.parametrize(
    'names',
    [
        ('train/1.jpg', 'train/fast/1.jpg', 'bus/1.jpg'),
        ('test/1.jpg', 'control/1.jpg'),
        ('freight_train/1.jpg', 'fast_train/1.jpg', 'bus/1.jpg'),
        ('train_station/1.jpg', 'bus_station/1.jpg', 'airport/1.jpg'),
    ],
)
def test_folders_that_only_look_like_splits_are_classes(tmp_path, names):
    listing = listed(write(tmp_path, *names))
    assert listing.splits == ()
    assert listing.class_names == tuple(sorted({name.split('/')[0] for name in names}))


def test_folders_of_splits_without_folders_of_classes_are_an_error_that_says_what_helps(tmp_path):
    write(tmp_path, 'train/1.jpg', 'val/cat/1.jpg')
    expected = (
        f'{tmp_path}/train: is named after a split, but holds no class folders (expected '
        f'{tmp_path}/train/CLASS/IMAGE.jpg); it holds 1 picture: make folders, or name the class '
        f'of each in a CSV file (columns path and label) or by '
        f'--label_from_name; if it is a class: --classes_at 1'
    )
    with pytest.raises(DataError, match=f'^{re.escape(expected)}$'):
        listed(tmp_path)


@pytest.mark.parametrize('inside', ['', 'test/', 'unknown/', 'one/deeper/'])
def test_a_test_split_without_classes_is_an_error_that_says_how_to_do_without(tmp_path, inside):
    write(tmp_path, 'train/cat/1.jpg', 'train/dog/1.jpg', f'test/{inside}1.jpg')
    with pytest.raises(DataError, match=f'^{tmp_path}/test: is named after a split, but') as caught:
        listed(tmp_path)
    expected = (
        f', only 1 picture without a class; without them: --dataset_dir {tmp_path}/train --splits '
        'train=0.8,test=0.2'
    )
    assert str(caught.value).endswith(expected)


@pytest.mark.parametrize('inside', ['', 'test/'])
def test_a_test_split_without_classes_is_left_out_where_another_one_is_there(tmp_path, inside):
    write(tmp_path, 'train/cat/1.jpg', 'train/dog/1.jpg', 'val/cat/1.jpg')
    write(tmp_path, f'test/{inside}1.jpg', f'test/{inside}2.jpg')
    listing = listed(tmp_path)
    assert listing.splits == ('train', 'validation')
    assert listing.class_names == ('cat', 'dog')
    assert listing.ignored == ('test: 2 pictures without a class',)
    assert 'warning: test: 2 pictures without a class, left out' in told(listing)


def test_training_images_alone_are_a_split(tmp_path):
    listing = listed(write(tmp_path, 'train/cat/1.jpg'))
    assert (listing.splits, listing.class_names) == (('train',), ('cat',))


def test_two_folders_of_one_split_are_an_error(tmp_path):
    write(tmp_path, 'train/cat/1.jpg', 'val/cat/1.jpg', 'validation/cat/1.jpg')
    expected = (
        f'{tmp_path}: two folders of one split among train, val, validation; to take them '
        f'together: --classes_at 2'
    )
    with pytest.raises(DataError, match=f'^{re.escape(expected)}$'):
        listed(tmp_path)


def test_an_empty_class_folder_of_a_split_is_an_error_that_names_it(tmp_path):
    write(tmp_path, 'train/cat/1.jpg', 'test/cat/1.jpg')
    (tmp_path / 'test' / 'dog').mkdir()
    with pytest.raises(DataError, match=f'^{tmp_path}/test/dog: the class folder holds no images$'):
        listed(tmp_path)


def test_an_empty_folder_of_a_split_is_an_error_that_names_it(tmp_path):
    write(tmp_path, 'train/cat/1.jpg', 'val/cat/1.jpg')
    (tmp_path / 'test').mkdir()
    with pytest.raises(DataError, match=f'^{tmp_path}/test: is named after a split, but'):
        listed(tmp_path)


def test_what_lies_beside_the_splits_and_beside_their_classes_is_named_and_ignored(tmp_path):
    write(tmp_path, 'train/cat/1.jpg', 'test/cat/1.jpg')
    write(tmp_path, 'README.md', '.git/config', 'train/notes.txt', 'test/cat/Thumbs.db')
    (tmp_path / 'val').symlink_to(tmp_path / 'test')
    assert sorted(listed(tmp_path).ignored) == [
        '.git',
        'README.md',
        'test/cat/Thumbs.db',
        'train/notes.txt',
        'val: symbolic link (see --follow_symlinks)',
    ]


def test_links_to_folders_of_splits_are_followed_where_that_is_asked_for(tmp_path):
    write(tmp_path, 'images/train/cat/1.jpg', 'elsewhere/cat/1.jpg')
    (tmp_path / 'images' / 'test').symlink_to(tmp_path / 'elsewhere')
    listing = listed(tmp_path / 'images', follow_symlinks=True)
    assert set(splits(listing).values()) == {'train', 'test'}
    assert unusable(listing) == {}


def test_records_among_the_images_change_nothing(tmp_path):
    write(tmp_path, 'train/cat/1.jpg', 'val/cat/1.jpg')
    before = listed(tmp_path, output='')
    write(tmp_path, 'duplicates.csv')
    for split in ('train', 'validation'):
        write(tmp_path / split, f'{split}-00000-of-00001.tfrecord', f'{split}.images.csv')
        manifest(tmp_path / split, f'{split}.json')
    assert listed(tmp_path, output='') == before
    assert before.ignored == ()


def test_records_of_three_splits_beside_the_classes_change_nothing(tmp_path):
    write(tmp_path, 'cat/1.jpg', 'dog/1.jpg')
    before = listed(tmp_path, output='')
    for split in ('train', 'validation', 'test'):
        write(tmp_path / split, f'{split}-00000-of-00001.tfrecord.partial')
    assert listed(tmp_path, output='') == before


def test_an_empty_folder_that_a_killed_conversion_made_beside_its_images_changes_nothing(tmp_path):
    write(tmp_path, 'train/cat/1.jpg', 'val/cat/1.jpg')
    before = listed(tmp_path, output='')
    (tmp_path / 'validation').mkdir()
    assert listed(tmp_path, output='') == before


def test_a_class_may_be_named_like_a_split(tmp_path):
    write(tmp_path, 'train/1.jpg', 'bus/1.jpg')
    assert listed(tmp_path).class_names == ('bus', 'train')
    write(tmp_path, 'all/train/train/1.jpg', 'all/train/bus/1.jpg', 'all/test/train/1.jpg')
    listing = listed(tmp_path / 'all')
    assert (listing.class_names, listing.splits) == (('bus', 'train'), ('train', 'test'))


@pytest.mark.parametrize('inside', ['', 'deep/er'])
def test_records_in_a_folder_beside_the_splits_change_nothing(tmp_path, inside):
    write(tmp_path, 'train/cat/1.jpg', 'test/cat/1.jpg')
    output = f'records/{inside}'
    before = listed(tmp_path, output)
    for split in ('train', 'test'):
        write(tmp_path / output / split, f'{split}-00000-of-00001.tfrecord')
        manifest(tmp_path / output / split, f'{split}.json')
    assert listed(tmp_path, output) == before
    assert (before.splits, before.ignored) == (('train', 'test'), ())


def test_folders_of_classes_beside_splits_are_an_error_that_names_them(tmp_path):
    write(tmp_path, 'train/cat/1.jpg', 'test/cat/1.jpg', 'more/cat/1.jpg', 'more/dog/1.jpg')
    expected = (
        f'{tmp_path}: holds the splits test, train, and beside them more, which is none; '
        'move it away'
    )
    with pytest.raises(DataError, match=f'^{re.escape(expected)}$'):
        listed(tmp_path)


@pytest.mark.parametrize('names', [('unlabeled/1.jpg',), ('unlabeled/deep/1.jpg', 'zoo/1.jpg')])
def test_pictures_without_a_class_beside_splits_are_left_out_and_counted(tmp_path, names):
    write(tmp_path, 'train/cat/1.jpg', 'test/cat/1.jpg', *names)
    listing = listed(tmp_path)
    assert (listing.splits, listing.examples) == (('train', 'test'), 2)
    assert 'warning: unlabeled: 1 picture without a class, left out' in told(listing)
