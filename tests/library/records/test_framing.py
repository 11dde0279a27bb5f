"""TFRecord files by their lengths: cut, compressed and forged ones are told from whole ones."""

from __future__ import annotations

import gzip
import struct

import pytest

from library import files
from library.records.framing import frame, read_records, walk

CHECKSUM = b'\0\0\0\0'  # nobody looks at it here


def record(data: bytes) -> bytes:
    return struct.pack('<Q', len(data)) + CHECKSUM + data + CHECKSUM


@pytest.fixture
def walked(tmp_path):
    """Walks through a file of these bytes."""

    def call(content):
        path = tmp_path / 'a.tfrecord'
        path.write_bytes(content)
        return walk(str(path))

    return call


def test_each_record_starts_where_the_one_before_ends(walked):
    assert walked(record(b'abc') + record(b'') + record(b'de')) == ([0, 19, 35], '')


@pytest.mark.parametrize('most', [0, 1, 2, 5])
def test_no_more_records_are_looked_at_than_are_asked_for(tmp_path, most):
    path = tmp_path / 'file'
    path.write_bytes(record(b'one') + record(b'two') + b'cut')
    starts, problem = walk(str(path), most)
    assert len(starts) == min(most, 2)
    assert bool(problem) == (most > 2)


def test_a_file_without_records_is_whole(walked):
    assert walked(b'') == ([], '')


@pytest.mark.graph
def test_records_of_tensorflow_are_walked_through(tmp_path):
    import tensorflow as tf

    path = str(tmp_path / 'a.tfrecord')
    with tf.io.TFRecordWriter(path) as writer:
        for size in (0, 1, 70_000):
            writer.write(b'x' * size)
    assert walk(path) == ([0, 16, 33], '')


def test_a_cut_shows_at_every_byte_but_between_two_records(walked):
    whole = record(b'abc') + record(b'') + record(b'defgh')
    ends = {0: 0, 19: 1, 35: 2, len(whole): 3}
    for size in range(len(whole) + 1):
        starts, problem = walked(whole[:size])
        assert (problem == '') == (size in ends)
        assert len(starts) == max(count for end, count in ends.items() if end <= size)


def test_the_cut_is_told_by_record_and_byte(walked):
    whole = record(b'abc') + record(b'defgh')
    assert walked(whole[:25]) == ([0], 'cut off in the header of record 1 at byte 19')
    problem = 'record 1 at byte 19 claims 5 bytes, more than are left'
    assert walked(whole[:-1]) == ([0], problem)


@pytest.mark.parametrize('length', [1, 2**31, 2**62, 2**63, 2**64 - 1])
def test_a_length_that_the_file_does_not_have_is_refused(walked, length):
    forged = struct.pack('<Q', length) + CHECKSUM + CHECKSUM
    assert walked(record(b'abc') + forged) == (
        [0],
        f'record 1 at byte 19 claims {length} bytes, more than are left',
    )


@pytest.mark.parametrize('size', [3, 600_000])
def test_a_compressed_file_is_reported_as_one(walked, size):
    packed = gzip.compress(bytes(range(256)) * (size // 256 + 1), compresslevel=0, mtime=0)
    assert walked(packed) == ([], 'is compressed with gzip; unpack it')


@pytest.mark.parametrize('size', [0x8B1F, 0x88B1F])
def test_a_record_whose_length_looks_like_gzip_is_none(walked, size):
    assert walked(record(b'x' * size)) == ([0], '')


@pytest.mark.graph
def test_a_remote_file_is_walked_through(tmp_path):
    path = f'ram://{tmp_path}/a.tfrecord'
    files.make_folder(f'ram://{tmp_path}')
    files.write_atomically(path, record(b'abc') + record(b'de')[:-1])
    assert walk(path) == ([0], 'record 1 at byte 19 claims 2 bytes, more than are left')


RECORDS = (b'', b'a', b'abc' * 50_000, bytes(range(256)))


@pytest.mark.graph
def test_a_framed_record_has_the_bytes_of_tensorflow_s_writer(tmp_path):
    import tensorflow as tf

    path = tmp_path / 'a.tfrecord'
    with tf.io.TFRecordWriter(str(path)) as writer:
        for data in RECORDS:
            writer.write(data)
    assert path.read_bytes() == b''.join(map(frame, RECORDS))


def test_the_checksum_is_the_published_one():
    # CRC-32C of '123456789' is e3069283 (RFC 3720 has the polynomial); masked as TFRecord does.
    masked = (((0xE3069283 >> 15) | (0xE3069283 << 17)) + 0xA282EAD8) & 0xFFFFFFFF
    assert frame(b'123456789')[-4:] == struct.pack('<I', masked)


@pytest.fixture
def read_back(tmp_path):
    """Reads a file of these bytes, record by record."""

    def call(content):
        path = tmp_path / 'a.tfrecord'
        path.write_bytes(content)
        starts, problem = walk(str(path))
        assert problem == ''
        return list(read_records(str(path), starts))

    return call


def test_records_are_read_back_in_their_order(read_back):
    assert read_back(b'') == []
    assert read_back(b''.join(map(frame, RECORDS))) == list(RECORDS)


def test_a_damaged_record_is_none_and_those_behind_it_are_read(read_back):
    whole = b''.join(map(frame, (b'one', b'two', b'three')))
    start, end = len(frame(b'one')), len(frame(b'one') + frame(b'two'))
    # The length itself is no length of a record then, and the walk ends there.
    for place in range(start + 8, end):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        assert read_back(damaged) == [b'one', None, b'three'], place


def test_a_file_that_was_cut_since_its_walk_has_no_right_record_there(tmp_path):
    path = tmp_path / 'a.tfrecord'
    path.write_bytes(frame(b'one') + frame(b'two'))
    starts, _ = walk(str(path))
    for size in range(len(frame(b'one')), len(frame(b'one') + frame(b'two'))):
        path.write_bytes((frame(b'one') + frame(b'two'))[:size])
        assert list(read_records(str(path), starts)) == [b'one', None], size
