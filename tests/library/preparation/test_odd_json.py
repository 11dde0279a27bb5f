"""JSON files that are no manifests, of every kind: nothing hangs on them or ends."""

from __future__ import annotations

import errno
import os

import pytest

from library import files
from library.records.manifest import FORMAT, HEAD, is_manifest
from library.records.split_folders import open_split
from tests.conftest import draw_images
from tests.forked import run_forked
from tests.library.preparation.conversions import contents, convert_images

pytestmark = pytest.mark.process

# Converts, converts again, verifies, and opens as training does.
ALL_OF_IT = """
import convert_dataset
from library.records.split_folders import evaluation_split, open_split
from library.runtime.entry import run_program

data_dir, *argv = argv
status = run_program(convert_dataset.main, argv) or run_program(convert_dataset.main, argv)
status = status or run_program(convert_dataset.main, ['--verify', data_dir])
print(open_split(data_dir, evaluation_split(data_dir, 'auto')).examples)
"""


def put_odd_files(folder):
    """Writes a FIFO, links to nowhere and to the FIFO, a closed, a huge and an empty file."""
    folder.mkdir(parents=True, exist_ok=True)
    os.mkfifo(folder / 'pipe.json')
    (folder / 'nowhere.json').symlink_to(folder / 'gone')
    (folder / 'loop.json').symlink_to('loop.json')
    (folder / 'linked.json').symlink_to(folder / 'pipe.json')
    (folder / 'closed.json').write_bytes(b'{}')
    (folder / 'closed.json').chmod(0)
    (folder / 'empty.json').touch()
    (folder / 'folder.json').mkdir()
    with open(folder / 'huge.json', 'wb') as file:
        # It takes no room on the disk, but nobody has the memory for it.
        file.truncate(1 << 40)


def test_no_odd_json_file_hangs_or_ends_anything(tmp_path):
    images = draw_images(tmp_path / 'data' / 'test', per_class=15)
    for folder in (images, images / 'red', images / 'red' / 'deep', tmp_path / 'data'):
        put_odd_files(folder)
    (images / 'folder.json').rmdir()
    flags = {'dataset_dir': images, 'tfrecord_dir': images, 'tfrecord_filename': 'test'}
    flags |= {'max_edge': 64, 'workers': 1}
    words = [word for name, value in flags.items() for word in (f'--{name}', value)]
    status, said = run_forked(ALL_OF_IT, tmp_path / 'data', *words)
    assert status == 0
    *_, verified, examples = said.splitlines()
    assert (verified, examples) == (f'{tmp_path}/data: every record is as it was written', '45')
    for line in (
        'ignored (not an image of a class): pipe.json: not a regular file',
        'ignored (not an image of a class): huge.json',
        'ignored (not an image of a class): nowhere.json: symbolic link (see --follow_symlinks)',
    ):
        assert said.splitlines().count(line) == 2


def test_odd_json_files_beside_the_records_disturb_nothing(tmp_path):
    images, output = draw_images(tmp_path / 'images', per_class=2), tmp_path / 'records' / 'train'
    convert_images(images, output)
    before = contents(output)
    put_odd_files(output)
    assert convert_images(images, output).kept == 2
    assert open_split(str(tmp_path / 'records'), 'train').examples == 6
    assert {name: (output / name).read_bytes() for name in before} == before


def test_a_manifest_is_told_by_its_first_bytes(tmp_path):
    path = tmp_path / 'train.json'
    path.write_text(f'{{"format": "{FORMAT}"' + ' ' * 10_000)
    assert is_manifest(str(path))
    assert not is_manifest(str(tmp_path / 'gone.json'))
    path.write_text(' ' * HEAD + f'{{"format": "{FORMAT}"}}')
    assert not is_manifest(str(path))


def test_what_a_conversion_writes_is_a_manifest_here_and_in_a_remote_store(tmp_path):
    images = draw_images(tmp_path / 'images', per_class=1)
    for folder in (str(tmp_path / 'out'), f'ram://{tmp_path}'):
        convert_images(images, folder)
        assert is_manifest(f'{folder}/train.json')
        assert not is_manifest(f'{folder}/train.images.csv')


@pytest.mark.parametrize('number', [errno.EACCES, errno.EIO, errno.EMFILE, errno.ENOMEM])
def test_a_file_that_cannot_be_read_is_none_unless_it_is_the_machines_fault(
    tmp_path, monkeypatch, number
):
    def fail(path):
        raise OSError(number, os.strerror(number), path)

    (tmp_path / 'x.json').touch()
    monkeypatch.setattr(files, 'open_binary', fail)
    if number in files.EXHAUSTED:
        with pytest.raises(OSError, match=os.strerror(number)):
            is_manifest(str(tmp_path / 'x.json'))
    else:
        assert not is_manifest(str(tmp_path / 'x.json'))
