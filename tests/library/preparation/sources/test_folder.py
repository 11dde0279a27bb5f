"""A folder per class to a list of labelled files."""

from __future__ import annotations

import os
import re

import pytest

from library.errors import ConfigError, DataError
from library.preparation.shard_writer import Target
from library.preparation.sources.folder import list_folder
from library.records.manifest import Rejected


def write(folder, *names):
    """Writes files; a listing never looks into them."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'x' * 7)
    return folder


def listed(folder, output='elsewhere', follow_symlinks=False):
    target = Target(str(folder / output) if output else str(folder), 'train')
    return list_folder(str(folder), target.owns, target.folder, follow_symlinks)


def labels(listing):
    return {image.filename: image.label for image in listing.images}


def test_classes_are_numbered_in_the_order_of_their_names(tmp_path):
    write(tmp_path, 'dog/1.jpg', 'Zebra/1.jpg', 'cat/1.jpg', 'cat/0.jpg')
    listing = listed(tmp_path)
    assert listing.class_names == ('Zebra', 'cat', 'dog')
    assert labels(listing) == {'Zebra/1.jpg': 0, 'cat/0.jpg': 1, 'cat/1.jpg': 1, 'dog/1.jpg': 2}


def test_one_class_is_enough(tmp_path):
    assert listed(write(tmp_path, 'cat/1.jpg')).class_names == ('cat',)


def test_a_listed_image_tells_its_path_and_size(tmp_path):
    (image,) = listed(write(tmp_path, 'cat/1.jpg')).images
    assert (image.path, image.size) == (str(tmp_path / 'cat' / '1.jpg'), 7)


def test_folders_may_lie_within_a_class(tmp_path):
    write(tmp_path, 'cat/b/deep/1.jpg', 'cat/a/1.jpg', 'cat/1.jpg', 'dog/only/below/1.jpg')
    listing = listed(tmp_path)
    assert listing.class_names == ('cat', 'dog')
    assert list(labels(listing).items()) == [
        ('cat/1.jpg', 0),
        ('cat/a/1.jpg', 0),
        ('cat/b/deep/1.jpg', 0),
        ('dog/only/below/1.jpg', 1),
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
        'train.json',
        'train.json.partial',
        'train.rejected.csv',
        'train.rejected.csv.partial',
    )
    assert listed(tmp_path, output='').ignored == ()


def test_files_of_another_data_set_are_named(tmp_path):
    write(tmp_path, 'cat/1.jpg', 'test-00000-of-00002.tfrecord', 'test.json', 'trainer.json')
    assert listed(tmp_path, output='').ignored == (
        'test-00000-of-00002.tfrecord',
        'test.json',
        'trainer.json',
    )


@pytest.mark.parametrize('output', ['records', 'records/of/train', 'cat/records', 'cat/a/records'])
def test_the_output_folder_may_lie_inside_and_changes_nothing(tmp_path, output):
    write(tmp_path, 'cat/1.jpg', 'dog/1.jpg')
    before = listed(tmp_path, output)
    write(tmp_path / output, 'train-00000-of-00001.tfrecord', 'train.json')
    assert listed(tmp_path, output) == before
    assert (before.class_names, before.ignored) == (('cat', 'dog'), ())


def test_the_output_folder_is_known_through_a_link_too(tmp_path):
    write(tmp_path, 'images/cat/1.jpg', 'images/records/train.json')
    (tmp_path / 'link').symlink_to(tmp_path / 'images' / 'records')
    listing = listed(tmp_path / 'images', output='../link')
    assert listing.class_names == ('cat',)


def test_a_folder_that_only_begins_like_the_output_folder_is_a_class(tmp_path):
    write(tmp_path, 'rec/1.jpg', 'records/train.json')
    assert listed(tmp_path, output='records').class_names == ('rec',)


def test_a_class_folder_without_images_is_an_error_that_names_it(tmp_path):
    write(tmp_path, 'cat/1.jpg', 'dog/notes.txt')
    with pytest.raises(DataError, match=f'^{tmp_path}/dog: the class folder holds no images$'):
        listed(tmp_path)
    assert DataError.exit_code == 3


def test_an_empty_class_folder_is_an_error_that_names_it(tmp_path):
    write(tmp_path, 'cat/1.jpg')
    (tmp_path / 'dog').mkdir()
    with pytest.raises(DataError, match=f'^{tmp_path}/dog: the class folder holds no images$'):
        listed(tmp_path)


def test_a_folder_without_class_folders_is_an_error_that_says_what_is_expected(tmp_path):
    write(tmp_path, '1.jpg', '2.jpg')
    expected = f'{tmp_path}: no class folders (expected {tmp_path}/CLASS/IMAGE.jpg)'
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
        listed(tmp_path)


def linked_folders(tmp_path):
    """A class whose image, folder and broken file are links out of the data set."""
    write(tmp_path, 'outside/1.jpg', 'outside/more/2.jpg', 'images/cat/0.jpg')
    cat = tmp_path / 'images' / 'cat'
    (cat / 'image.jpg').symlink_to(tmp_path / 'outside' / '1.jpg')
    (cat / 'folder').symlink_to(tmp_path / 'outside' / 'more')
    (cat / 'nowhere.jpg').symlink_to(tmp_path / 'gone.jpg')
    return tmp_path / 'images'


def test_links_are_rejected_by_name(tmp_path):
    listing = listed(linked_folders(tmp_path))
    assert sorted(labels(listing)) == ['cat/0.jpg']
    assert listing.rejected == tuple(
        Rejected(f'cat/{name}', 'symbolic link (see --follow_symlinks)')
        for name in ('folder', 'image.jpg', 'nowhere.jpg')
    )


def test_links_are_followed_where_that_is_asked_for(tmp_path):
    listing = listed(linked_folders(tmp_path), follow_symlinks=True)
    assert sorted(labels(listing)) == ['cat/0.jpg', 'cat/folder/2.jpg', 'cat/image.jpg']
    assert listing.rejected == (Rejected('cat/nowhere.jpg', 'no such file or directory'),)


def test_a_link_to_a_class_folder_is_a_class_only_where_links_are_followed(tmp_path):
    write(tmp_path, 'images/cat/1.jpg', 'outside/1.jpg')
    (tmp_path / 'images' / 'dog').symlink_to(tmp_path / 'outside')
    assert listed(tmp_path / 'images').class_names == ('cat',)
    assert listed(tmp_path / 'images').ignored == ('dog',)
    followed = listed(tmp_path / 'images', follow_symlinks=True)
    assert followed.class_names == ('cat', 'dog')


@pytest.mark.parametrize('above', ['cat/deep', 'cat', '.'])
def test_a_link_to_a_folder_above_it_is_rejected(tmp_path, above):
    write(tmp_path, 'cat/deep/1.jpg', 'dog/1.jpg')
    (tmp_path / 'cat' / 'deep' / 'loop').symlink_to(tmp_path / above)
    listing = listed(tmp_path, follow_symlinks=True)
    assert sorted(labels(listing)) == ['cat/deep/1.jpg', 'dog/1.jpg']
    assert listing.rejected == (Rejected('cat/deep/loop', 'symbolic link to a folder above it'),)


def test_a_link_to_itself_is_rejected(tmp_path):
    write(tmp_path, 'cat/1.jpg')
    (tmp_path / 'cat' / 'loop.jpg').symlink_to('loop.jpg')
    listing = listed(tmp_path, follow_symlinks=True)
    assert listing.rejected == (Rejected('cat/loop.jpg', 'too many levels of symbolic links'),)


def test_a_pipe_is_rejected_without_opening_it(tmp_path):
    write(tmp_path, 'cat/1.jpg')
    os.mkfifo(tmp_path / 'cat' / 'pipe.jpg')
    assert listed(tmp_path).rejected == (Rejected('cat/pipe.jpg', 'not a regular file'),)


def test_a_folder_named_like_an_image_is_rejected(tmp_path):
    write(tmp_path, 'cat/1.jpg', 'cat/2.jpg/inside.jpg')
    listing = listed(tmp_path)
    assert sorted(labels(listing)) == ['cat/1.jpg']
    assert listing.rejected == (Rejected('cat/2.jpg', 'a folder, not an image'),)


def test_a_class_folder_may_be_named_like_an_image(tmp_path):
    assert listed(write(tmp_path, 'cat.jpg/1.jpg')).class_names == ('cat.jpg',)


def test_names_that_are_no_utf8_are_kept(tmp_path):
    name = os.fsdecode(b'caf\xe9')
    write(tmp_path, f'{name}/{name}.jpg')
    listing = listed(tmp_path)
    assert listing.class_names == (name,)
    (image,) = listing.images
    assert os.fsencode(image.filename) == b'caf\xe9/caf\xe9.jpg'


@pytest.mark.skipif(os.geteuid() == 0, reason='root may read every folder')
def test_a_folder_that_may_not_be_read_is_rejected(tmp_path):
    write(tmp_path, 'cat/1.jpg', 'cat/closed/2.jpg')
    (tmp_path / 'cat' / 'closed').chmod(0)
    listing = listed(tmp_path)
    (tmp_path / 'cat' / 'closed').chmod(0o700)
    assert listing.rejected == (Rejected('cat/closed', 'permission denied'),)
