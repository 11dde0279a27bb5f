"""Files by path: the same behaviour on the disk and through tf.io.gfile."""

import os
import uuid

import pytest

from library import files
from library.errors import ResourceError

pytestmark = pytest.mark.unit


@pytest.fixture(params=['local', 'ram'])
def folder(request, tmp_path):
    """An empty folder, on the disk or in TensorFlow's memory."""
    path = str(tmp_path) if request.param == 'local' else f'ram://{uuid.uuid4().hex}'
    files.make_folder(path)
    return path


@pytest.mark.parametrize('path', ['gs://bucket/x', 'ram://x', 's3://x', 'file:///x'])
def test_a_path_with_a_scheme_is_remote(path):
    assert files.is_remote(path)


@pytest.mark.parametrize('path', ['x', '/x/y', './a:b', ''])
def test_a_path_without_a_scheme_is_local(path):
    assert not files.is_remote(path)


def test_joining_keeps_the_scheme():
    assert files.join('gs://bucket/a', 'b', 'c') == 'gs://bucket/a/b/c'
    assert files.join('a', 'b') == 'a/b'


@pytest.mark.parametrize('path', ['s3://bucket/x', 'hdfs://host/x', 'http://host/x'])
@pytest.mark.parametrize(
    'action',
    [
        files.read_bytes,
        files.exists,
        files.is_folder,
        files.names_in,
        files.size,
        files.make_folder,
        files.remove,
        lambda path: files.write_atomically(path, b''),
        lambda path: files.replace(path, path),
    ],
)
def test_a_scheme_that_nothing_opens_is_reported(path, action):
    with pytest.raises(ResourceError) as caught:
        action(path)
    scheme = path.split('://')[0]
    assert str(caught.value).startswith(f'{path}: {scheme}:// needs the package tensorflow-io')


@pytest.mark.graph
def test_what_is_written_is_read_back(folder):
    path = files.join(folder, 'a.bin')
    files.write_atomically(path, b'\x00\xff\n')
    assert files.read_bytes(path) == b'\x00\xff\n'
    assert files.size(path) == 3


@pytest.mark.graph
def test_writing_again_replaces_the_content_and_leaves_nothing_else(folder):
    path = files.join(folder, 'a.bin')
    files.write_atomically(path, b'a longer text')
    files.write_atomically(path, b'new')
    assert files.read_bytes(path) == b'new'
    assert files.names_in(folder) == ['a.bin']


@pytest.mark.graph
def test_a_file_is_there_or_not(folder):
    path = files.join(folder, 'a.bin')
    assert not files.exists(path)
    files.write_atomically(path, b'')
    assert files.exists(path)
    assert not files.is_folder(path)
    files.remove(path)
    assert not files.exists(path)


@pytest.mark.graph
def test_a_missing_file_is_named_in_the_error(folder):
    path = files.join(folder, 'none.bin')
    with pytest.raises(FileNotFoundError) as caught:
        files.read_bytes(path)
    assert caught.value.filename == path


@pytest.mark.graph
def test_a_file_that_is_removed_just_before_it_is_opened_is_missing_too(folder, monkeypatch):
    path = files.join(folder, 'none.bin')
    monkeypatch.setattr(files, 'exists', lambda path: True)
    with pytest.raises(FileNotFoundError) as caught:
        files.read_bytes(path)
    assert caught.value.filename == path


@pytest.mark.graph
def test_names_are_sorted_and_plain_for_files_and_folders(folder):
    files.write_atomically(files.join(folder, 'b.txt'), b'')
    files.write_atomically(files.join(folder, 'a.txt'), b'')
    files.make_folder(files.join(folder, 'c'))
    files.write_atomically(files.join(folder, 'c', 'inside.txt'), b'')
    assert files.names_in(folder) == ['a.txt', 'b.txt', 'c']


@pytest.mark.graph
def test_folders_are_told_from_files(folder):
    files.write_atomically(files.join(folder, 'a.txt'), b'')
    for name in ('c', 'b'):
        files.make_folder(files.join(folder, name))
        files.write_atomically(files.join(folder, name, 'inside.txt'), b'')
    assert files.folders_in(folder) == ['b', 'c']


@pytest.mark.graph
def test_a_folder_that_is_not_there_has_no_names(folder):
    assert files.names_in(files.join(folder, 'none')) == []


@pytest.mark.graph
def test_a_file_has_no_names(folder):
    path = files.join(folder, 'a.txt')
    files.write_atomically(path, b'')
    assert files.names_in(path) == []


@pytest.mark.graph
def test_folders_are_made_with_their_parents_and_may_be_there_already(folder):
    path = files.join(folder, 'a', 'b')
    files.make_folder(path)
    files.make_folder(path)
    assert files.is_folder(path)


@pytest.mark.graph
def test_replacing_takes_the_place_of_what_stood_there(folder):
    source, target = files.join(folder, 'new'), files.join(folder, 'old')
    files.write_atomically(source, b'new')
    files.write_atomically(target, b'old')
    files.replace(source, target)
    assert files.read_bytes(target) == b'new'
    assert files.names_in(folder) == ['old']


def test_a_path_without_a_folder_can_be_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.write_atomically('a.bin', b'x')
    assert files.read_bytes('a.bin') == b'x'


def test_a_write_that_is_cut_short_leaves_the_old_content(tmp_path, monkeypatch):
    path = tmp_path / 'a.bin'
    files.write_atomically(str(path), b'old')

    def fail(descriptor):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', fail)
    with pytest.raises(OSError, match='No space left'):
        files.write_atomically(str(path), b'new')
    assert path.read_bytes() == b'old'


def test_content_reaches_the_disk_before_the_name_and_the_name_before_the_return(
    tmp_path, monkeypatch
):
    events = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, 'fsync', lambda fd: (events.append('sync'), fsync(fd)))
    monkeypatch.setattr(os, 'replace', lambda a, b: (events.append('rename'), replace(a, b)))
    files.write_atomically(str(tmp_path / 'a.bin'), b'x')
    assert events == ['sync', 'rename', 'sync']


@pytest.mark.graph
@pytest.mark.parametrize('base', ['local', 'ram://removing'])
def test_everything_below_a_path_is_removed(tmp_path, base):
    base = str(tmp_path) if base == 'local' else base
    files.make_folder(files.join(base, 'folder', 'inner'))
    files.write_atomically(files.join(base, 'folder', 'inner', 'file'), b'x')
    files.write_atomically(files.join(base, 'file'), b'x')
    files.remove_all(files.join(base, 'folder'))
    files.remove_all(files.join(base, 'file'))
    assert files.names_in(base) == []


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path):
    (tmp_path / 'kept').mkdir()
    (tmp_path / 'link').symlink_to(tmp_path / 'kept')
    files.remove_all(str(tmp_path / 'link'))
    assert [p.name for p in tmp_path.iterdir()] == ['kept']


def test_a_file_is_written_again_only_if_it_changes(tmp_path):
    path = tmp_path / 'file'
    files.write_if_changed(str(path), b'one')
    first = path.stat()
    files.write_if_changed(str(path), b'one')
    # Not all of it: comparing read the file.
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    files.write_if_changed(str(path), b'two')
    assert path.read_bytes() == b'two'
    assert path.stat().st_ino != first.st_ino


@pytest.mark.graph
def test_what_is_below_a_folder_is_named_counted_and_copied_in_any_order(folder, tmp_path):
    for name in ('b', 'a/2', 'a/c/1'):
        files.make_folder(os.path.dirname(files.join(folder, 'from', name)))
        files.write_atomically(files.join(folder, 'from', name), name.encode())
    source = files.join(folder, 'from')
    names = files.names_below(source)
    assert names == ['a/2', 'a/c/1', 'b']
    assert files.size_below(source) == 3 + 5 + 1
    for target in (files.join(folder, 'to'), str(tmp_path / 'local')):
        files.copy_below(source, target, reversed(names))
        assert files.names_below(target) == names
        assert files.read_bytes(files.join(target, 'a/c/1')) == b'a/c/1'


def test_a_link_leads_to_the_same_place(tmp_path):
    (tmp_path / 'own').mkdir()
    (tmp_path / 'link').symlink_to('own')
    names = [str(tmp_path / name) for name in ('own', 'link')]
    assert files.real_path(names[1]) == files.real_path(names[0])
    assert files.identity(names[1]) == files.identity(names[0]) != files.identity(str(tmp_path))
    assert files.real_path('gs://bucket/a') == files.identity('gs://bucket/a') == 'gs://bucket/a'
