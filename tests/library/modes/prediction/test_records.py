"""Records, whole and damaged, to images."""

from __future__ import annotations

import gzip
import struct

import pytest
import tensorflow as tf

from library.modes.prediction.records import read_images
from library.records.example import encode_example
from library.records.listing import Unusable

pytestmark = pytest.mark.graph


def example(number, filename=None):
    name = f'{number}.jpg' if filename is None else filename
    return encode_example(b'jpeg %d' % number, 8, 8, 0, 'x', name)


@pytest.fixture
def shard(tmp_path):
    """Writes records into a file; gives its path."""

    def write(*records):
        path = str(tmp_path / 'x.tfrecord')
        with tf.io.TFRecordWriter(path) as writer:
            for record in records:
                writer.write(record)
        return path

    return write


def reasons(path):
    return [
        (file.removeprefix(path), c.reason if isinstance(c, Unusable) else '')
        for file, c in read_images(path)
    ]


def test_records_have_names_and_images_and_need_no_label(shard):
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b'other']))
    other = tf.train.Example(features=tf.train.Features(feature={'image/encoded': feature}))
    path = shard(example(0), example(1, 'é'), other.SerializeToString(), example(3, ''))
    assert list(read_images(path)) == [
        ('0.jpg', b'jpeg 0'),
        ('é', b'jpeg 1'),
        (f'{path}#2', b'other'),
        (f'{path}#3', b'jpeg 3'),
    ]


def test_odd_bytes_of_a_name_are_kept(shard):
    ((name, _),) = read_images(shard(example(0, '\udcff.jpg')))
    assert name == '\udcff.jpg'


def test_what_is_no_example_is_reported_and_the_next_one_read(shard):
    empty = tf.train.Example().SerializeToString()
    assert reasons(shard(b'\xff\xff', empty, example(2))) == [
        ('#0', 'not a tf.train.Example'),
        ('#1', 'the record lacks image/encoded'),
        ('2.jpg', ''),
    ]


@pytest.mark.parametrize(
    ('left', 'reason'), [(20, 'claims'), (5, 'cut off in the header of record 2')]
)
def test_a_cut_file_gives_what_is_whole(shard, left, reason):
    path = shard(example(0), example(1), example(2))
    with open(path, 'rb') as file:
        data = file.read()
    with open(path, 'wb') as file:
        file.write(data[: len(data) // 3 * 2 + left])
    first, second, (name, told) = reasons(path)
    assert (first, second) == (('0.jpg', ''), ('1.jpg', ''))
    assert name == '#2'
    assert reason in told


def test_a_flipped_bit_ends_the_file_with_an_entry_that_says_so(shard):
    path = shard(example(0), example(1), example(2))
    with open(path, 'r+b') as file:
        data = bytearray(file.read())
        data[len(data) // 3 + 30] ^= 1
        file.seek(0)
        file.write(data)
    first, (name, told) = reasons(path)
    assert first == ('0.jpg', '')
    assert name == '#1'
    assert told.startswith('its checksum is wrong (at byte ')
    assert told.endswith('; 1 records behind it were not read')


def test_a_forged_length_does_not_end_the_process(shard):
    path = shard(example(0))
    with open(path, 'ab') as file:
        length = struct.pack('<Q', 1 << 62)
        file.write(length + b'\0' * 40)
    first, (name, told) = reasons(path)
    assert first == ('0.jpg', '')
    assert (name, 'more than are left' in told) == ('#1', True)


def test_compressed_files_are_reported(shard):
    path = shard(example(0))
    with open(path, 'rb') as file:
        data = file.read()
    with open(path, 'wb') as file:
        file.write(gzip.compress(data))
    assert reasons(path) == [('#0', 'is compressed with gzip; unpack it')]


def test_a_file_that_went_away_is_reported(tmp_path):
    assert reasons(str(tmp_path / 'x.tfrecord')) == [('#0', 'no such file or directory')]
