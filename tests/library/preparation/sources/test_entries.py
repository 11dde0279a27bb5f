"""A path to what stands there, without opening it."""

from __future__ import annotations

import os
import socket

import pytest

from library import files
from library.preparation.sources.entries import Entry, look

LINK = 'symbolic link (see --follow_symlinks)'


@pytest.fixture
def image(tmp_path):
    """A file of seven bytes."""
    path = tmp_path / 'image.jpg'
    path.write_bytes(b'x' * 7)
    return path


def kind(path, follow_symlinks=False):
    return look(str(path), follow_symlinks).kind


@pytest.mark.parametrize('follow_symlinks', [False, True])
def test_a_file_is_an_image_with_its_size(image, follow_symlinks):
    assert look(str(image), follow_symlinks) == Entry(str(image), 'image', 7)


@pytest.mark.parametrize('follow_symlinks', [False, True])
def test_a_folder_is_a_folder(tmp_path, follow_symlinks):
    assert look(str(tmp_path), follow_symlinks) == Entry(str(tmp_path), 'folder')


def test_a_link_is_followed_only_where_that_is_asked_for(image, tmp_path):
    for target in (image, tmp_path):
        link = tmp_path / f'to_{target.name}'
        link.symlink_to(target)
        assert kind(link) == LINK
        assert kind(link, follow_symlinks=True) == kind(target)


def test_a_link_to_nowhere_or_to_itself_says_so(tmp_path):
    (tmp_path / 'nowhere').symlink_to(tmp_path / 'gone')
    (tmp_path / 'loop').symlink_to('loop')
    assert kind(tmp_path / 'nowhere', follow_symlinks=True) == 'no such file or directory'
    assert kind(tmp_path / 'loop', follow_symlinks=True) == 'too many levels of symbolic links'


def test_a_missing_file_says_so(tmp_path):
    assert kind(tmp_path / 'gone') == 'no such file or directory'


@pytest.mark.parametrize('follow_symlinks', [False, True])
def test_a_pipe_is_no_file_and_is_not_opened(tmp_path, follow_symlinks):
    os.mkfifo(tmp_path / 'pipe.jpg')
    assert kind(tmp_path / 'pipe.jpg', follow_symlinks) == 'not a regular file'


def test_a_socket_and_a_device_are_no_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind('socket.jpg')
        assert kind('socket.jpg') == 'not a regular file'
    assert kind('/dev/null') == 'not a regular file'


def test_a_name_that_is_no_utf8_is_looked_at(tmp_path):
    path = tmp_path / os.fsdecode(b'caf\xe9.jpg')
    path.touch()
    assert kind(path) == 'image'


@pytest.mark.graph
def test_files_and_folders_of_a_remote_store_are_told_apart(tmp_path):
    folder = f'ram://{tmp_path}'
    files.make_folder(folder)
    files.write_atomically(f'{folder}/image.jpg', b'x' * 7)
    assert look(folder, False) == Entry(folder, 'folder')
    assert look(f'{folder}/image.jpg', False) == Entry(f'{folder}/image.jpg', 'image', 7)
