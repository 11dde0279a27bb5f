"""A module's handle to a folder on disk."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile

import pytest

from library import files
from library.errors import ConfigError, ResourceError
from library.models.module_cache import fetch_module


@pytest.fixture
def archive(module_dir, tmp_path):
    path = tmp_path / 'module.tar.gz'
    with tarfile.open(path, 'w:gz') as tar:
        for name in sorted(os.listdir(module_dir)):
            tar.add(module_dir / name, arcname=name)
    return path


def test_a_local_folder_is_used_where_it_is(module_dir):
    assert fetch_module(str(module_dir)) == str(module_dir)


def test_an_archive_is_unpacked_once_under_its_digest(archive, tmp_path):
    cache = str(tmp_path / 'cache')
    folder = fetch_module(str(archive), cache)
    assert os.path.basename(folder) == hashlib.sha256(archive.read_bytes()).hexdigest()
    written = os.stat(os.path.join(folder, 'saved_model.pb')).st_mtime_ns
    assert fetch_module(f'file://{archive}', cache) == folder
    assert os.stat(os.path.join(folder, 'saved_model.pb')).st_mtime_ns == written
    assert os.listdir(cache) == [os.path.basename(folder)]


def test_an_archive_in_a_bucket_is_unpacked_and_pinned_as_a_local_one(archive, tmp_path):
    files.make_folder('ram://modules')
    files.write_atomically('ram://modules/a.tar.gz', archive.read_bytes())
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    cache = str(tmp_path / 'cache')
    assert fetch_module('ram://modules/a.tar.gz', cache, digest) == os.path.join(cache, digest)
    assert os.listdir(cache) == [digest]
    with pytest.raises(ResourceError, match=f'its sha256 is {digest}, not --module_sha256 00'):
        fetch_module('ram://modules/a.tar.gz', cache, '00')
    with pytest.raises(
        ResourceError, match=r'ram://modules/b\.tar\.gz: the module cannot be fetched'
    ):
        fetch_module('ram://modules/b.tar.gz', cache)


def test_an_archive_in_a_bucket_is_read_for_the_first_graph_alone(archive, tmp_path, monkeypatch):
    remote = 'ram://modules/read_once.tar.gz'
    files.make_folder('ram://modules')
    files.write_atomically(remote, archive.read_bytes())
    opened, open_binary = [], files.open_binary
    monkeypatch.setattr(files, 'open_binary', lambda path: opened.append(path) or open_binary(path))
    first = fetch_module(remote, str(tmp_path / 'cache'))
    assert opened == [remote, remote]  # for its digest, and to unpack it
    assert [fetch_module(remote, str(tmp_path / 'cache')) for _ in range(2)] == [first, first]
    assert len(opened) == 2
    # What was unpacked may have been cleaned away, or be wanted elsewhere.
    assert os.listdir(fetch_module(remote, str(tmp_path / 'other'))) == os.listdir(first)
    assert len(opened) == 3


def test_a_folder_in_a_bucket_is_used_where_it_is(module_dir, tmp_path):
    for name in files.names_below(str(module_dir)):
        files.make_folder(os.path.dirname(f'ram://module/{name}'))
        files.write_atomically(f'ram://module/{name}', (module_dir / name).read_bytes())
    assert fetch_module('ram://module', str(tmp_path)) == 'ram://module'


def test_one_wrapping_folder_in_an_archive_is_looked_through(module_dir, tmp_path):
    path = tmp_path / 'wrapped.tgz'
    with tarfile.open(path, 'w:gz') as tar:
        tar.add(module_dir, arcname='some_name')
    folder = fetch_module(str(path), str(tmp_path / 'cache'))
    assert os.path.basename(folder) == 'some_name'


def test_a_missing_module_is_named(tmp_path):
    with pytest.raises(ResourceError, match=r'nowhere: no such module') as error:
        fetch_module(str(tmp_path / 'nowhere'))
    assert error.value.exit_code == 5


def test_a_folder_without_saved_model_is_named(tmp_path):
    with pytest.raises(ResourceError, match=r'no saved_model.pb; the module is incomplete'):
        fetch_module(str(tmp_path))


def test_an_empty_folder_in_the_download_cache_is_fetched_anew(tmp_path):
    handle = 'https://example.invalid/module/1'
    (tmp_path / hashlib.sha1(handle.encode()).hexdigest()).mkdir()
    with pytest.raises(ResourceError, match=f'cannot be fetched into {tmp_path}'):
        fetch_module(handle, str(tmp_path))


def test_half_a_module_in_the_download_cache_is_named_with_the_cure(tmp_path):
    handle = 'https://example.invalid/module/1'
    key = hashlib.sha1(handle.encode()).hexdigest()
    (tmp_path / key / 'variables').mkdir(parents=True)
    with pytest.raises(ResourceError, match=f'{key}: no saved_model.pb.*delete the folder'):
        fetch_module(handle, str(tmp_path))


@pytest.mark.parametrize('kept', [0.5, 0.01])
def test_a_cut_archive_is_damaged_and_leaves_nothing(archive, tmp_path, kept):
    data = archive.read_bytes()
    archive.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(ResourceError, match=r'module.tar.gz: the archive is damaged'):
        fetch_module(str(archive), str(tmp_path / 'cache'))
    assert os.listdir(tmp_path / 'cache') == []


def test_a_file_that_is_no_archive_is_damaged(tmp_path):
    path = tmp_path / 'module.tar.gz'
    path.write_text('<html>404</html>')
    with pytest.raises(ResourceError, match='the archive is damaged'):
        fetch_module(str(path), str(tmp_path / 'cache'))


def test_another_digest_than_the_pinned_one_is_refused(archive, tmp_path):
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert fetch_module(str(archive), str(tmp_path), digest.upper())
    with pytest.raises(ResourceError, match=f'its sha256 is {digest}, not --module_sha256 00'):
        fetch_module(str(archive), str(tmp_path), '00')


@pytest.mark.parametrize('name', ['../evil', '/evil', 'a/../../evil'])
def test_a_member_that_leaves_the_folder_is_refused(tmp_path, name):
    path = tmp_path / 'module.tar.gz'
    with tarfile.open(path, 'w:gz') as tar:
        member = tarfile.TarInfo(name)
        member.size = 4
        tar.addfile(member, io.BytesIO(b'evil'))
    with pytest.raises(ResourceError, match='leaves the folder'):
        fetch_module(str(path), str(tmp_path / 'cache' / 'deep'))
    assert not list(tmp_path.rglob('evil'))


def test_a_link_in_an_archive_is_refused(tmp_path):
    path = tmp_path / 'module.tar.gz'
    with tarfile.open(path, 'w:gz') as tar:
        member = tarfile.TarInfo('saved_model.pb')
        member.type, member.linkname = tarfile.SYMTYPE, '/etc/passwd'
        tar.addfile(member)
    with pytest.raises(ResourceError, match='is a link'):
        fetch_module(str(path), str(tmp_path / 'cache'))


def test_an_address_out_of_reach_is_one_line_with_a_way_out(tmp_path):
    with pytest.raises(
        ResourceError, match=r'cannot be fetched .*pass --module with a local'
    ) as error:
        fetch_module('https://example.invalid/module/1', str(tmp_path))
    assert '\n' not in str(error.value)


def test_a_lock_of_another_download_is_named_before_waiting(tmp_path, caplog, monkeypatch):
    import tensorflow_hub as hub

    handle = 'https://example.invalid/module/1'
    lock = tmp_path / f'{hashlib.sha1(handle.encode()).hexdigest()}.lock'
    lock.write_text('')

    def resolve(_):
        raise RuntimeError('not downloaded in this test')

    monkeypatch.setattr(hub, 'resolve', resolve)
    with pytest.raises(ResourceError, match='not downloaded in this test'):
        fetch_module(handle, str(tmp_path))
    assert f'waiting for another download of {handle}' in caplog.text
    assert str(lock) in caplog.text


@pytest.mark.parametrize('handle', ['folder', 'https://example.invalid/module/1'])
def test_a_pin_on_anything_but_an_archive_is_refused(module_dir, handle):
    handle = str(module_dir) if handle == 'folder' else handle
    with pytest.raises(ConfigError, match=r'--module_sha256 pins a \.tar\.gz module') as error:
        fetch_module(handle, sha256='00')
    assert error.value.exit_code == 2
