"""Where a conversion may write: somebody else's files, another split, another conversion."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from library.errors import ConfigError, ResourceError
from library.preparation.output import HEADERS, Output, only_conversion
from library.records.split_folders import open_split
from tests.converting import convert, flags
from tests.library.preparation.conversions import change_times, contents, convert_images
from tests.processes import running

pytestmark = pytest.mark.graph

NOT_OURS = b'path,label\ncat/0.jpg,cat\n'

# Holds the lock of a folder until it is killed.
HOLD = """
import sys
from library.preparation.output import Output, only_conversion

with only_conversion(Output(sys.argv[1], 'train')):
    print('held', flush=True)
    sys.stdin.read()
"""


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.mark.parametrize('data', [b'', NOT_OURS, b'file,reasons\n', b'file\n'])
@pytest.mark.parametrize('kind', ['duplicates', 'images', 'rejected'])
def test_somebody_elses_list_is_refused_and_left_alone(images, output, capsys, kind, data):
    put(output / f'train.{kind}.csv', data)
    message = (
        f'error: {output}/train.{kind}.csv: not of a conversion; choose another --tfrecord_dir or '
        '--tfrecord_filename\n'
    )
    assert convert(capsys, *flags(images, output)) == (2, '', message)
    assert contents(output) == {f'train.{kind}.csv': data}


@pytest.mark.parametrize('name', ['duplicates.csv', 'test/test.images.csv', 'train/train.json'])
def test_somebody_elses_file_among_several_splits_is_refused(images, output, name):
    put(output / name, NOT_OURS)
    expected = f'{output}/{name}: not of a conversion; choose another --tfrecord_dir'
    with pytest.raises(ConfigError, match=f'^{re.escape(expected)}$'):
        convert_images(images, output, None, fractions={'train': 0.5, 'test': 0.5})
    assert contents(output) == {name: NOT_OURS}


def test_lists_of_an_earlier_conversion_are_replaced(images, output, tmp_path):
    for ending, header in HEADERS.items():
        name = f'train{ending}' if ending.startswith('.') else f'train.{ending}'
        put(output / name, f'{",".join(header)}\nan,older,row\n'.encode())
    convert_images(images, output)
    convert_images(images, tmp_path / 'undisturbed')
    assert contents(output) == contents(tmp_path / 'undisturbed')


def test_a_second_split_in_the_folder_of_another_is_exit_code_2(images, output, capsys):
    assert convert(capsys, *flags(images, output))[0] == 0
    before = change_times(output)
    assert convert(capsys, *flags(images, output, tfrecord_filename='test')) == (
        2,
        '',
        f'error: {output}/train.json: another split is in this folder, and a folder holds one; '
        'choose another --tfrecord_dir\n',
    )
    assert change_times(output) == before


def test_a_stray_shard_of_the_same_name_goes_on_a_rerun(images, output):
    convert_images(images, output, num_shards=2)
    before = change_times(output)
    for name in ('train-00002-of-00003.tfrecord', 'train-00000-of-00001.tfrecord'):
        put(output / name, b'of another conversion')
    put(output / 'notes.tfrecord', b'')
    convert_images(images, output, num_shards=2)
    after = change_times(output)
    assert after.pop('notes.tfrecord')
    assert after == before
    assert open_split(str(output.parent), output.name).examples == 12


@pytest.fixture
def holder(output):
    """Another process that is converting to the same place."""
    pipes = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE}
    with running('-c', HOLD, output, **pipes) as process:
        assert process.stdout.readline() == 'held\n'
        yield process


def test_of_two_conversions_at_once_the_second_is_exit_code_5(images, output, holder, capsys):
    message = f'error: {output}: another conversion writes there now\n'
    assert convert(capsys, *flags(images, output)) == (5, '', message)
    assert contents(output) == {}
    assert convert(capsys, *flags(images, output.parent / 'elsewhere'))[0] == 0


def test_a_kill_frees_the_folder(images, output, holder, capsys):
    holder.kill()
    holder.wait(60)
    assert convert(capsys, *flags(images, output))[0] == 0


def test_the_folder_is_free_once_a_conversion_has_ended_or_failed(images, output):
    with pytest.raises(ConfigError, match='--num_shards 13 is more than the 12 images'):
        convert_images(images, output, num_shards=13)
    for _ in range(2):
        convert_images(images, output)
    assert open_split(str(output.parent), output.name).examples == 12


def test_the_lock_leaves_no_file_and_is_held_for_all_splits(output):
    several = Output(str(output), None, ('train', 'test'))
    expected = f'^{output}: another conversion writes there now$'
    with (
        only_conversion(several),
        pytest.raises(ResourceError, match=expected),
        only_conversion(Output(str(output), 'train')),
    ):
        pass
    assert os.listdir(output) == []


def test_remote_folders_have_no_lock(output):
    remote = Output(f'ram://{output}', 'train')
    with only_conversion(remote), only_conversion(remote):
        pass


def test_a_machine_without_room_for_a_process_is_not_taken_for_another_conversion(output):
    error = BlockingIOError(11, 'Resource temporarily unavailable')
    with (
        pytest.raises(BlockingIOError, match='Resource temporarily unavailable'),
        only_conversion(Output(str(output), 'train')),
    ):
        raise error
