"""A folder for each class to a listing of labelled files."""

from __future__ import annotations

import os
import re

import pytest

from library.errors import ConfigError, DataError
from library.preparation.options import SourceOptions
from library.preparation.output import Output
from library.preparation.sources.folder import Folder
from library.records.listing import Unusable
from library.records.manifest import FORMAT


def write(folder, *names):
    """Writes files; a listing never looks into them."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'x' * 7)
    return folder


def listed(folder, output='elsewhere', known=('cat',), **options):
    """Lists a folder; a data set may have the class cat alone."""
    target = Output(str(folder / output) if output else str(folder), 'train')
    source_options = SourceOptions(dataset_dir=str(folder), **options)
    return Folder(source_options, target, known=known).listing()


def manifest(folder, *names):
    """Writes what this program knows for its own."""
    for path in (folder / name for name in names):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{{"format": "{FORMAT}"}}')


def labels(listing):
    """The labels of the images that can be read, by their names."""
    return {i.filename: i.label for i in listing.images if not isinstance(i.content, Unusable)}


def unusable(listing):
    """The reasons why images cannot be read, by their names."""
    return {i.filename: i.content.reason for i in listing.images if isinstance(i.content, Unusable)}


def test_classes_are_numbered_in_the_order_of_their_names(tmp_path):
    write(tmp_path, 'dog/1.jpg', 'Zebra/1.jpg', 'cat/1.jpg', 'cat/0.jpg')
    listing = listed(tmp_path)
    assert listing.class_names == ('Zebra', 'cat', 'dog')
    assert labels(listing) == {'Zebra/1.jpg': 0, 'cat/0.jpg': 1, 'cat/1.jpg': 1, 'dog/1.jpg': 2}


def test_one_class_alone_is_taken_only_where_somebody_named_it(tmp_path):
    write(tmp_path, 'cat/1.jpg')
    expected = (
        f'{tmp_path}: holds one class folder alone, cat: there is nothing to tell it from: make '
        'folders, or name the class of each in a CSV file (columns path and label) or by '
        '--label_from_name; if one is '
        'meant: --classes_at 1'
    )
    with pytest.raises(DataError, match=f'^{re.escape(expected)}$'):
        listed(tmp_path, known=())
    with pytest.raises(DataError):
        listed(tmp_path, known=('dog',))
    assert listed(tmp_path, known=('cat', 'dog')).class_names == ('cat',)
    assert listed(tmp_path, known=(), classes_at=1).class_names == ('cat',)


def test_a_listed_image_tells_its_path_and_size(tmp_path):
    (image,) = listed(write(tmp_path, 'cat/1.jpg')).images
    assert (image.content, image.size) == (str(tmp_path / 'cat' / '1.jpg'), 7)
    assert image.split == ''


def test_folders_may_lie_within_a_class(tmp_path):
    write(tmp_path, 'cat/b/deep/1.jpg', 'cat/a/1.jpg', 'cat/1.jpg', 'dog/0.jpg', 'dog/a/b/1.jpg')
    listing = listed(tmp_path)
    assert listing.class_names == ('cat', 'dog')
    assert list(labels(listing).items()) == [
        ('cat/1.jpg', 0),
        ('cat/a/1.jpg', 0),
        ('cat/b/deep/1.jpg', 0),
        ('dog/0.jpg', 1),
        ('dog/a/b/1.jpg', 1),
    ]


def test_the_order_in_which_a_disk_lists_names_does_not_matter(tmp_path, monkeypatch):
    write(
        tmp_path,
        *(
            f'{name}/{deep}{number}.jpg'
            for name in 'ab'
            for deep in ('', 'x/', 'y/')
            for number in range(5)
        ),
    )
    forward = listed(tmp_path)
    list_names = os.listdir
    monkeypatch.setattr(os, 'listdir', lambda path: sorted(list_names(path), reverse=True))
    assert listed(tmp_path) == forward


def test_extensions_match_without_case(tmp_path):
    names = ['cat/1.JPG', 'cat/2.Jpeg', 'cat/3.PNG', 'cat/4.jpg', 'cat/5.JPE', 'cat/6.jfif']
    assert sorted(labels(listed(write(tmp_path, *names)))) == names


def test_images_of_other_formats_are_listed_so_that_they_are_reported(tmp_path):
    names = ['cat/1.webp', 'cat/2.GIF', 'cat/3.bmp', 'cat/4.tiff', 'cat/5.heic', 'cat/6.avif']
    listing = listed(write(tmp_path, *names))
    assert sorted(labels(listing)) == names
    assert listing.ignored == ()


def test_files_that_are_no_images_are_named_and_ignored(tmp_path):
    write(tmp_path, 'loose.jpg', 'labels.csv', 'cat/1.jpg', 'cat/notes.txt', 'cat/deep/no_ending')
    listing = listed(tmp_path)
    assert sorted(labels(listing)) == ['cat/1.jpg']
    assert sorted(listing.ignored) == [
        'cat/deep/no_ending',
        'cat/notes.txt',
        'labels.csv',
        'loose.jpg',
    ]


def test_hidden_files_and_folders_are_named_and_ignored(tmp_path):
    write(tmp_path, 'cat/1.jpg', 'cat/.2.jpg', 'cat/._1.jpg', 'cat/.thumbs/1.jpg', '.git/1.jpg')
    listing = listed(tmp_path)
    assert listing.class_names == ('cat',)
    assert sorted(labels(listing)) == ['cat/1.jpg']
    assert sorted(listing.ignored) == ['.git', 'cat/.2.jpg', 'cat/._1.jpg', 'cat/.thumbs']


def test_own_files_are_neither_inputs_nor_named(tmp_path):
    write(
        tmp_path,
        'cat/1.jpg',
        'train-00000-of-00002.tfrecord',
        'train-00001-of-00002.tfrecord.partial',
        'train-00006-of-00007.tfrecord',
        'train-00000-of-00002.tfrecord.partial.json',
        'train.json.partial',
        'train.rejected.csv',
        'train.rejected.csv.partial',
        'train.images.csv',
        'train.duplicates.csv',
        'test-00000-of-00002.tfrecord',
        'cat/train-00000-of-00002.tfrecord',
    )
    manifest(tmp_path, 'train.json', 'test.json', 'cat/train.json')
    listing = listed(tmp_path, output='')
    assert (sorted(labels(listing)), listing.ignored) == (['cat/1.jpg'], ())


def test_other_peoples_json_files_are_named(tmp_path):
    write(tmp_path, 'cat/1.jpg', 'cat/1.json', 'train.json', 'trainer.json')
    ignored = ('cat/1.json', 'train.json', 'trainer.json')
    assert listed(tmp_path, output='').ignored == ignored


@pytest.mark.parametrize('output', ['records', 'records/of/train', 'cat/records', 'cat/a/records'])
def test_the_output_folder_may_lie_inside_and_changes_nothing(tmp_path, output):
    write(tmp_path, 'cat/1.jpg', 'dog/1.jpg')
    before = listed(tmp_path, output)
    write(tmp_path / output, 'train-00000-of-00001.tfrecord')
    manifest(tmp_path / output, 'train.json')
    assert listed(tmp_path, output) == before
    assert (before.class_names, before.ignored) == (('cat', 'dog'), ())


def test_the_output_folder_is_known_through_a_link_too(tmp_path):
    write(tmp_path, 'images/cat/1.jpg')
    manifest(tmp_path, 'images/records/train.json')
    (tmp_path / 'link').symlink_to(tmp_path / 'images' / 'records')
    listing = listed(tmp_path / 'images', output='../link')
    assert listing.class_names == ('cat',)


def test_a_folder_that_only_begins_like_the_output_folder_is_a_class(tmp_path):
    write(tmp_path, 'rec/1.jpg')
    manifest(tmp_path, 'records/train.json')
    assert listed(tmp_path, 'records', known=('rec',)).class_names == ('rec',)


def test_a_class_folder_without_images_is_an_error_that_names_it(tmp_path):
    write(tmp_path, 'cat/1.jpg', 'dog/notes.txt')
    expected = f'{tmp_path}/dog: the class folder holds no images, only 1 other file: 1 .txt'
    with pytest.raises(DataError, match=f'^{re.escape(expected)}$'):
        listed(tmp_path)
    assert DataError.exit_code == 3


def test_an_empty_class_folder_is_an_error_that_names_it(tmp_path):
    write(tmp_path, 'cat/1.jpg')
    (tmp_path / 'dog').mkdir()
    with pytest.raises(DataError, match=f'^{tmp_path}/dog: the class folder holds no images$'):
        listed(tmp_path)


def test_a_folder_without_class_folders_is_an_error_that_says_what_is_expected(tmp_path):
    write(tmp_path, '1.jpg', '2.jpg')
    expected = (
        f'{tmp_path}: no class folders (expected {tmp_path}/CLASS/IMAGE.jpg); it holds 2 pictures '
        f'itself: make folders, or name the class of each in a CSV file (columns path and label) '
        f'or by --label_from_name'
    )
    with pytest.raises(DataError, match=f'^{re.escape(expected)}$'):
        listed(tmp_path)


@pytest.mark.parametrize('name', ['missing', 'file'])
def test_a_missing_folder_is_a_usage_error(tmp_path, name):
    write(tmp_path, 'file')
    expected = rf'^{tmp_path}/{name}: no such folder \(--dataset_dir\)$'
    with pytest.raises(ConfigError, match=expected):
        listed(tmp_path / name)
    assert ConfigError.exit_code == 2


def test_a_class_name_with_a_line_break_is_an_error(tmp_path):
    write(tmp_path, 'a\nb/1.jpg')
    with pytest.raises(DataError, match=r"the class name 'a\\nb' holds a line break"):
        listed(tmp_path, classes_at=1)


def test_names_that_are_no_utf8_are_kept(tmp_path):
    name = os.fsdecode(b'caf\xe9')
    write(tmp_path, f'{name}/{name}.jpg')
    listing = listed(tmp_path, known=(name,))
    assert listing.class_names == (name,)
    (image,) = listing.images
    assert os.fsencode(image.filename) == b'caf\xe9/caf\xe9.jpg'
