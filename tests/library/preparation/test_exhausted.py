"""A machine that runs out of disk or of open files: one line, exit code 5, and nothing lost."""

from __future__ import annotations

import re

import pytest

from tests.conftest import draw_images
from tests.forked import run_forked
from tests.library.preparation.conversions import contents, convert_images

pytestmark = pytest.mark.process

NO_MOUNT = 77

# Converts onto a disk of a few kilobytes, and again once the disk has grown.
ON_A_SMALL_DISK = """
import ctypes, os, shutil
import convert_dataset
from library.runtime.entry import run_program

NEW_MOUNTS, REMOUNT, PRIVATE = 0x20000, 32, (1 << 18) | (1 << 14)
kilobytes, disk, copies, *argv = argv
kernel = ctypes.CDLL(None)

def mount(flags, size):
    return kernel.mount(b'tmpfs', disk.encode(), b'tmpfs', flags, f'size={size}k'.encode())

os.makedirs(disk)
if kernel.unshare(NEW_MOUNTS) or kernel.mount(b'none', b'/', None, PRIVATE, None):
    status = 77
elif mount(0, kilobytes):
    status = 77
else:
    status = run_program(convert_dataset.main, argv)
    shutil.copytree(disk, f'{copies}/full')
    assert not mount(REMOUNT, 10_000)
    assert run_program(convert_dataset.main, argv) == 0
    shutil.copytree(disk, f'{copies}/grown')
"""

WITH_FEW_FILES = """
import os, resource
import convert_dataset
from library.preparation.encoding_options import EncodingOptions
from library.runtime.entry import run_program

more, *argv = argv
# Pillow opens its codecs when it is first asked for their versions.
EncodingOptions(64).fingerprint()
open_now = max(map(int, os.listdir('/proc/self/fd')))
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (open_now + int(more), hard))
status = run_program(convert_dataset.main, argv)
"""


@pytest.fixture
def images(tmp_path):
    """Three classes of ten images, about 36 KB."""
    return draw_images(tmp_path / 'images', per_class=10)


def words(images, output, workers=1):
    flags = {
        'dataset_dir': images,
        'tfrecord_dir': output,
        'tfrecord_filename': 'train',
        'max_edge': 64,
        'num_shards': 3,
        'workers': workers,
    }
    return [word for name, value in flags.items() for word in (f'--{name}', value)]


@pytest.mark.parametrize('kilobytes', [8, 36, 44, 64])
def test_a_full_disk_is_exit_code_5_and_more_room_completes_it(images, tmp_path, kilobytes):
    disk = tmp_path / 'disk'
    status, said = run_forked(ON_A_SMALL_DISK, kilobytes, disk, tmp_path, *words(images, disk))
    if status == NO_MOUNT:
        pytest.skip('no disk can be mounted here')
    error, *others = said.splitlines()
    assert status == 5
    assert re.fullmatch(f'error: {disk}/.*: no space left on device', error)
    left = contents(tmp_path / 'full')
    assert 'train.json' not in left
    finished = [name for name in left if name.endswith('.tfrecord.partial.json')]
    assert [f'kept: {len(finished)} of 3 shards, made from the same images'] * bool(finished) == [
        line for line in others if line.startswith('kept: ')
    ]
    # Nothing of a shard that was not finished, and no note of one.
    shards = {name.removesuffix('.partial') for name in left if '.tfrecord' in name} - {*finished}
    assert {f'{name}.partial.json' for name in shards} - {*finished} == set()
    convert_images(images, tmp_path / 'undisturbed', num_shards=3)
    assert contents(tmp_path / 'grown') == contents(tmp_path / 'undisturbed')


# The first is the lock of the folder, then come the images, then the pipes of the workers, for
# which Python imports modules of its own.
@pytest.mark.parametrize('more', [1, 2, 11])
def test_too_few_open_files_are_exit_code_5_and_no_hang_and_blame_no_image(images, tmp_path, more):
    output = tmp_path / 'records'
    status, said = run_forked(WITH_FEW_FILES, more, *words(images, output, workers=2))
    name = f'({output}|.*/METADATA): ' if more == 1 else '(.*/multiprocessing/.*: )?'
    assert status == 5
    assert re.fullmatch(f'error: {name}too many open files\n', said)
    assert contents(output) == {}
    assert convert_images(images, output).manifests['train'].examples == 30
