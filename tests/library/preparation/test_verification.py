"""Converted images that are not as they were written."""

from __future__ import annotations

import json
import shutil
import signal
import struct

import pytest
import tensorflow as tf

import convert_dataset
from library import files
from library.errors import ConfigError, DataError
from library.preparation.verification import verify
from library.records.example import encode_example
from tests.conftest import draw_images
from tests.forked import run_forked
from tests.library.preparation.conversions import convert_images

pytestmark = pytest.mark.graph

# Nobody reads what it prints; Python buffers that, or not.
INTO_A_CLOSED_PIPE = """
import os, sys
import convert_dataset
from library.runtime.entry import run_program

buffered, *argv = argv
reader, writer = os.pipe()
os.close(reader)
closed = sys.stdout = open(writer, 'w', buffering=-1 if buffered == 'True' else 1)
status = run_program(convert_dataset.main, argv)
"""


@pytest.fixture
def data(data_dir, tmp_path):
    """A copy of the converted images, and its first training shard."""
    for split in ('train', 'test'):
        shutil.copytree(data_dir / split, tmp_path / split)
    return tmp_path


@pytest.fixture
def shard(data):
    return data / 'train' / 'train-00000-of-00002.tfrecord'


def starts(path):
    """Where the records of a whole shard start, and its size."""
    content, offsets = path.read_bytes(), [0]
    while offsets[-1] < len(content):
        (length,) = struct.unpack_from('<Q', content, offsets[-1])
        offsets.append(offsets[-1] + 12 + length + 4)
    return offsets


def rewrite(path, records):
    """Puts other records under the shard's name, and mends the manifest's size and digest."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)
    manifest = path.parent / 'train.json'
    content = json.loads(manifest.read_text())
    size, digest = files.digest(str(path))
    content['shards'][0] |= {'bytes': size, 'sha256': digest}
    manifest.write_text(json.dumps(content))


def problems(data):
    return list(verify(str(data)))


def test_what_is_as_it_was_written_has_no_problems(data):
    assert problems(data) == []
    assert problems(data / 'train') == []


def test_a_missing_shard_is_named(data, shard):
    shard.unlink()
    assert problems(data) == [f'{shard}: missing']


def test_a_cut_between_two_records_is_noticed(data, shard):
    offsets = starts(shard)
    size = offsets[-1]
    shard.write_bytes(shard.read_bytes()[: offsets[-2]])
    found = problems(data)
    assert found[0] == f'{shard}: {offsets[-2]} bytes, but {size} were written'
    assert found[1] == f'{shard}: {len(offsets) - 2} records, but {len(offsets) - 1} were written'


@pytest.mark.parametrize('cut', [1, 5, 11])
def test_a_cut_in_a_header_is_placed(data, shard, cut):
    start = starts(shard)[1]
    shard.write_bytes(shard.read_bytes()[: start + cut])
    assert f'{shard}: cut off in the header of record 1 at byte {start}' in problems(data)


def test_a_cut_in_the_data_is_placed(data, shard):
    start = starts(shard)[1]
    shard.write_bytes(shard.read_bytes()[: start + 100])
    assert f'{shard}: record 1 at byte {start} claims' in problems(data)[1]


def test_no_cut_goes_unnoticed(tmp_path):
    convert_images(draw_images(tmp_path / 'images', per_class=1), tmp_path / 'few', num_shards=1)
    (shard,) = tmp_path.glob('few/*.tfrecord')
    content = shard.read_bytes()
    assert problems(tmp_path / 'few') == []
    for length in range(0, len(content), 41):
        shard.write_bytes(content[:length])
        assert problems(tmp_path / 'few'), length


def test_a_flipped_bit_is_noticed_and_placed(data, shard):
    start = starts(shard)[2]
    content = bytearray(shard.read_bytes())
    content[start + 50] ^= 1
    shard.write_bytes(content)
    assert problems(data) == [
        f'{shard}: the content is not what was written (sha256)',
        f'{shard}: record 2 at byte {start}: its checksum is wrong',
    ]


def test_each_damaged_record_is_named_and_those_between_are_checked(data, shard):
    first, _, third, *_ = starts(shard)
    content = bytearray(shard.read_bytes())
    for start in (first, third):
        content[start + 8] ^= 1
    shard.write_bytes(content)
    _, *found = problems(data)
    assert found == [
        f'{shard}: record {number} at byte {start}: its checksum is wrong'
        for number, start in ((0, first), (2, third))
    ]


def test_a_forged_length_is_refused_before_tensorflow_sees_it(data, shard):
    content = bytearray(shard.read_bytes())
    struct.pack_into('<Q', content, 0, 2**62)
    shard.write_bytes(content)
    assert f'{shard}: record 0 at byte 0 claims {2**62} bytes, more than are left' in problems(data)


def test_a_shard_of_something_else_is_named(data):
    stranger = data / 'test' / 'test-00002-of-00003.tfrecord'
    stranger.write_bytes(b'')
    assert problems(data) == [f'{stranger}: not in the manifest']


@pytest.mark.parametrize(
    ('record', 'problem'),
    [
        (b'\xff\xff', 'not a tf.train.Example'),
        (tf.train.Example().SerializeToString(), 'lacks image/class/label or image/encoded'),
        (encode_example(b'x', 1, 1, 3, 'red', 'a.jpg'), 'its label 3 is none of 3 classes'),
        (encode_example(b'x', 1, 1, 2, 'red', 'a.jpg'), 'its image is not a JPEG'),
    ],
    ids=['no example', 'no fields', 'no label of the set', 'no image'],
)
def test_a_record_that_holds_no_example_of_the_set_is_named(data, shard, record, problem):
    records = [r.numpy() for r in tf.data.TFRecordDataset(str(shard))]
    rewrite(shard, [*records[:-1], record])
    place = f'{shard}: record {len(records) - 1} at byte {starts(shard)[-2]}'
    # No count of a class, although the record lacks its label.
    assert problems(data) == [f'{place}: {problem}']


def test_counts_that_do_not_hold_are_named(data):
    manifest = data / 'test' / 'test.json'
    content = json.loads(manifest.read_text())
    content['examples_per_class']['red'] = 7
    manifest.write_text(json.dumps(content))
    assert problems(data) == [f"{data / 'test'}: class 'red' has 5 images, not 7"]


def test_a_folder_without_converted_images_is_no_data_set(tmp_path):
    with pytest.raises(ConfigError, match=r'no converted images \(--verify\)'):
        problems(tmp_path)


def test_the_program_says_that_all_is_well(data, capsys):
    assert convert_dataset.main(['--verify', str(data)]) == 0
    assert capsys.readouterr().out == f'{data}: every record is as it was written\n'


def test_the_program_ends_with_3_after_naming_each_problem(data, shard, capsys):
    shard.unlink()
    with pytest.raises(DataError, match=f'^{data}: 1 problem, named above$') as error:
        convert_dataset.main(['--verify', str(data)])
    assert error.value.exit_code == 3
    assert capsys.readouterr().out == f'{shard}: missing\n'


@pytest.fixture
def several(tmp_path):
    """Two splits that were made together."""
    images = draw_images(tmp_path / 'images', per_class=4)
    convert_images(images, tmp_path / 'both', None, fractions={'train': 0.5, 'test': 0.5})
    return tmp_path / 'both'


@pytest.mark.parametrize('gone', ['manifest', 'folder'])
def test_a_split_whose_manifest_is_missing_is_named(several, gone):
    assert problems(several) == []
    (several / 'test' / 'test.json').unlink()
    if gone == 'folder':
        shutil.rmtree(several / 'test')
    expected = [f'{several}/test: the manifest of this split is missing']
    assert problems(several) == expected
    # The folder of one split may have been copied elsewhere alone.
    assert problems(several / 'train') == []


def test_the_folder_of_one_split_may_be_where_one_is(several, monkeypatch):
    monkeypatch.chdir(several / 'train')
    assert list(verify('.')) == []
    monkeypatch.chdir(several)
    assert list(verify('train')) == list(verify('train/')) == []


def test_splits_in_a_remote_store_are_looked_for_there(tmp_path):
    remote = f'ram://{tmp_path}'
    images = draw_images(tmp_path / 'images', per_class=4)
    convert_images(images, remote, None, fractions={'train': 0.5, 'test': 0.5})
    assert list(verify(remote)) == list(verify(f'{remote}/train')) == []
    files.remove(f'{remote}/test/test.json')
    assert list(verify(remote)) == [f'{remote}/test: the manifest of this split is missing']


@pytest.mark.process
@pytest.mark.parametrize('buffered', [True, False])
def test_what_nobody_reads_is_no_success(data, shard, tmp_path, buffered):
    words = ('--verify', data)
    status, said = run_forked(INTO_A_CLOSED_PIPE, buffered, *words)
    assert (status, said) == (128 + signal.SIGPIPE, '')
    shard.unlink()
    status, said = run_forked(INTO_A_CLOSED_PIPE, buffered, *words)
    told = f'error: {data}: 1 problem, named above\n'
    assert (status, said) == ((3, told) if buffered else (128 + signal.SIGPIPE, ''))
