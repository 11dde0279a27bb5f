"""What stands among the images of a folder and is none: links, pipes, closed folders."""

from __future__ import annotations

import errno
import os

import pytest

from tests.library.preparation.sources.test_folder import labels, listed, unusable, write


def fail_to_list(monkeypatch, folder, number):
    def names(path):
        if path == str(folder):
            raise OSError(number, os.strerror(number), path)
        return list_names(path)

    list_names = os.listdir
    monkeypatch.setattr(os, 'listdir', names)


def linked_folders(tmp_path):
    """A class whose image, folder and broken file are links out of the data set."""
    write(tmp_path, 'outside/1.jpg', 'outside/more/2.jpg', 'images/cat/0.jpg')
    cat = tmp_path / 'images' / 'cat'
    (cat / 'image.jpg').symlink_to(tmp_path / 'outside' / '1.jpg')
    (cat / 'folder').symlink_to(tmp_path / 'outside' / 'more')
    (cat / 'nowhere.jpg').symlink_to(tmp_path / 'gone.jpg')
    return tmp_path / 'images'


LINK = 'symbolic link (see --follow_symlinks)'


def test_links_that_are_named_like_images_are_rejected_by_name(tmp_path):
    listing = listed(linked_folders(tmp_path))
    assert sorted(labels(listing)) == ['cat/0.jpg']
    links = ['cat/image.jpg', 'cat/nowhere.jpg']
    assert unusable(listing) == dict.fromkeys(links, LINK)
    assert {image.size for image in listing.images if image.filename in links} == {0}


def test_links_and_pipes_that_are_not_named_like_images_are_named_and_ignored(tmp_path):
    images = linked_folders(tmp_path)
    (images / 'cat' / 'notes').symlink_to(tmp_path / 'gone.txt')
    os.mkfifo(images / 'cat' / 'pipe')
    pipe = 'cat/pipe: not a regular file'
    assert listed(images).ignored == (f'cat/folder: {LINK}', f'cat/notes: {LINK}', pipe)
    followed = listed(images, follow_symlinks=True)
    assert followed.ignored == ('cat/notes: no such file or directory', pipe)


def test_links_are_followed_where_that_is_asked_for(tmp_path):
    listing = listed(linked_folders(tmp_path), follow_symlinks=True)
    assert sorted(labels(listing)) == ['cat/0.jpg', 'cat/folder/2.jpg', 'cat/image.jpg']
    assert unusable(listing) == {'cat/nowhere.jpg': 'no such file or directory'}


def test_a_link_to_a_class_folder_is_a_class_only_where_links_are_followed(tmp_path):
    write(tmp_path, 'images/cat/1.jpg', 'outside/1.jpg')
    (tmp_path / 'images' / 'dog').symlink_to(tmp_path / 'outside')
    assert listed(tmp_path / 'images').class_names == ('cat',)
    assert listed(tmp_path / 'images').ignored == (f'dog: {LINK}',)
    followed = listed(tmp_path / 'images', follow_symlinks=True)
    assert followed.class_names == ('cat', 'dog')


@pytest.mark.parametrize('above', ['cat/deep', 'cat', '.'])
def test_a_link_to_a_folder_above_it_is_rejected(tmp_path, above):
    write(tmp_path, 'cat/deep/1.jpg', 'dog/1.jpg')
    (tmp_path / 'cat' / 'deep' / 'loop').symlink_to(tmp_path / above)
    listing = listed(tmp_path, follow_symlinks=True)
    assert sorted(labels(listing)) == ['cat/deep/1.jpg', 'dog/1.jpg']
    assert unusable(listing) == {'cat/deep/loop': 'symbolic link to a folder above it'}


def test_a_link_to_itself_is_rejected(tmp_path):
    write(tmp_path, 'cat/1.jpg')
    (tmp_path / 'cat' / 'loop.jpg').symlink_to('loop.jpg')
    listing = listed(tmp_path, follow_symlinks=True)
    assert unusable(listing) == {'cat/loop.jpg': 'too many levels of symbolic links'}


def test_a_pipe_is_rejected_without_opening_it(tmp_path):
    write(tmp_path, 'cat/1.jpg')
    os.mkfifo(tmp_path / 'cat' / 'pipe.jpg')
    assert unusable(listed(tmp_path)) == {'cat/pipe.jpg': 'not a regular file'}


def test_a_folder_named_like_an_image_is_rejected(tmp_path):
    write(tmp_path, 'cat/1.jpg', 'cat/2.jpg/inside.jpg')
    listing = listed(tmp_path)
    assert sorted(labels(listing)) == ['cat/1.jpg']
    assert unusable(listing) == {'cat/2.jpg': 'a folder, not an image'}


def test_a_class_folder_may_be_named_like_an_image(tmp_path):
    assert listed(write(tmp_path, 'cat.jpg/1.jpg'), classes_at=1).class_names == ('cat.jpg',)


@pytest.mark.skipif(os.geteuid() == 0, reason='root may read every folder')
def test_a_folder_that_may_not_be_read_is_rejected(tmp_path):
    write(tmp_path, 'cat/1.jpg', 'cat/closed/2.jpg')
    (tmp_path / 'cat' / 'closed').chmod(0)
    listing = listed(tmp_path)
    (tmp_path / 'cat' / 'closed').chmod(0o700)
    assert unusable(listing) == {'cat/closed': 'permission denied'}


def test_a_folder_that_cannot_be_listed_is_rejected(tmp_path, monkeypatch):
    write(tmp_path, 'cat/1.jpg', 'cat/broken/2.jpg')
    fail_to_list(monkeypatch, tmp_path / 'cat' / 'broken', errno.EIO)
    assert unusable(listed(tmp_path)) == {'cat/broken': 'input/output error'}


@pytest.mark.parametrize('number', [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
@pytest.mark.parametrize('name', ['cat', 'cat/deep'])
def test_a_machine_that_is_out_of_something_rejects_no_folder(tmp_path, monkeypatch, name, number):
    write(tmp_path, 'cat/1.jpg', 'cat/deep/2.jpg')
    fail_to_list(monkeypatch, tmp_path / name, number)
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        listed(tmp_path)
    assert caught.value.errno == number
