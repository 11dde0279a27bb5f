"""A module's handle to a folder, and what its file says."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile

import pytest
import tensorflow as tf

from library.errors import MismatchError, ResourceError
from library.models.hub_module import fetch_module, inspect_module


@pytest.fixture
def archive(module_dir, tmp_path):
    path = tmp_path / 'module.tar.gz'
    with tarfile.open(path, 'w:gz') as tar:
        for name in sorted(os.listdir(module_dir)):
            tar.add(module_dir / name, arcname=name)
    return path


def save(folder, function, *signature):
    module = tf.Module()
    module.__call__ = tf.function(function, input_signature=list(signature))
    tf.saved_model.save(module, str(folder))
    return str(folder)


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


def test_the_image_size_is_read_from_the_file(module_dir):
    info = inspect_module(str(module_dir))
    assert info.image_size == 32
    assert not info.is_tf1


def test_a_module_of_free_size_says_none(tmp_path):
    spec = tf.TensorSpec([None, None, None, 3])
    folder = save(tmp_path / 'free', lambda images: tf.reduce_mean(images, [1, 2]), spec)
    assert inspect_module(folder).image_size is None


def test_a_module_that_takes_no_images_does_not_fit(tmp_path):
    folder = save(
        tmp_path / 'text', lambda texts: tf.strings.length(texts), tf.TensorSpec([None], tf.string)
    )
    with pytest.raises(MismatchError, match='takes no batch of RGB images') as error:
        inspect_module(folder)
    assert error.value.exit_code == 4


def test_a_module_of_other_than_square_images_does_not_fit(tmp_path):
    spec = tf.TensorSpec([None, 32, 64, 3])
    folder = save(tmp_path / 'wide', lambda images: tf.reduce_mean(images, [1, 2]), spec)
    with pytest.raises(MismatchError, match='takes images of 32x64, not square'):
        inspect_module(folder)


def test_a_damaged_file_is_named(module_dir, tmp_path):
    shutil.copytree(module_dir, tmp_path / 'damaged')
    (tmp_path / 'damaged' / 'saved_model.pb').write_bytes(b'\xff\xff\xff')
    with pytest.raises(ResourceError, match=r'saved_model\.pb is damaged'):
        inspect_module(str(tmp_path / 'damaged'))


def test_a_module_in_the_tf1_format_is_known_as_such(tmp_path):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        images = tf.compat.v1.placeholder(tf.float32, [None, 32, 32, 3])
        signature = tf.compat.v1.saved_model.predict_signature_def(
            {'images': images}, {'default': tf.reduce_mean(images, [1, 2])}
        )
        builder = tf.compat.v1.saved_model.Builder(str(tmp_path / 'tf1'))
        builder.add_meta_graph_and_variables(session, [], {'default': signature})
        builder.save()
    info = inspect_module(str(tmp_path / 'tf1'))
    assert info.is_tf1
    assert info.image_size == 32
