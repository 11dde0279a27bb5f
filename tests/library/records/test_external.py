"""TFRecords of other programs: what they hold, and how bad ones are told."""

from __future__ import annotations

import gzip
import os
import struct

import pytest
import tensorflow as tf

from library.errors import DataError
from library.records.example import ENCODED, LABEL, TEXT
from library.records.external import ExternalRecords, read_external

pytestmark = pytest.mark.graph

Feature = tf.train.Feature


def feature(value):
    if isinstance(value, bytes):
        return Feature(bytes_list=tf.train.BytesList(value=[value]))
    labels = value if isinstance(value, list) else [value]
    return Feature(int64_list=tf.train.Int64List(value=labels))


def example(**changes):
    """A record with the features that are needed, or others; None leaves one out."""
    values = {ENCODED: b'an image', LABEL: 0} | changes
    features = {name: feature(value) for name, value in values.items() if value is not None}
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


@pytest.fixture
def write(tmp_path):
    """Writes serialized records into a file; gives its path."""

    def call(*records, name='a.tfrecord'):
        # TensorFlow's writer takes no name that is no UTF-8.
        with tf.io.TFRecordWriter(str(tmp_path / 'new')) as writer:
            for record in records:
                writer.write(record)
        os.rename(tmp_path / 'new', tmp_path / name)
        return str(tmp_path / name)

    return call


def refusal(*paths):
    with pytest.raises(DataError) as caught:
        read_external(paths, 'records/train-*')
    return str(caught.value)


def test_records_are_counted_over_all_files_and_classes_are_named(write):
    first = write(example(**{LABEL: 1, TEXT: b'dog'}), example(**{LABEL: 0, TEXT: b'cat'}))
    second = write(example(**{LABEL: 1, TEXT: b'dog'}), name='b.tfrecord')
    records = read_external([first, second], 'records/train-*')
    assert records == ExternalRecords(
        ('cat', 'dog'), {0: 1, 1: 2}, (first, second), 'records/train-*'
    )
    assert records.examples == 3
    assert records.label_counts == (1, 2)


def test_classes_without_a_name_are_called_by_their_number(write):
    path = write(example(**{LABEL: 3}), example(**{LABEL: 1, TEXT: b'dog'}))
    assert read_external([path], 'r').class_names == ('0', 'dog', '2', '3')


def test_names_that_are_no_utf_8_survive(write):
    path = write(example(**{TEXT: b'caf\xe9'}), name='caf\udce9.tfrecord')
    records = read_external([path], 'r')
    assert records.class_names == ('caf\udce9',)
    assert records.shard_paths == (path,)


def test_a_file_without_records_may_be_among_others(write):
    paths = [write(name='a.tfrecord'), write(example(), name='b.tfrecord')]
    assert read_external(paths, 'r').examples == 1


def test_files_without_any_record_are_refused(write):
    assert refusal(write()) == 'records/train-*: the files hold no records'


def test_a_cut_is_refused_unless_it_leaves_whole_records(write):
    path = write(example(), example(**{LABEL: 1}), example(**{LABEL: 2}))
    with open(path, 'rb') as file:
        whole = file.read()
    length = len(whole) // 3
    for size in range(1, len(whole)):
        with open(path, 'wb') as file:
            file.write(whole[:size])
        if size % length:
            place = f'record {size // length} at byte {size // length * length}'
            message = refusal(path)
            assert message.startswith(f'{path}: ')
            assert place in message
        else:  # nothing in the file tells of this cut
            assert read_external([path], 'r').examples == size // length


def test_no_flipped_bit_goes_unnoticed(write):
    path = write(example())
    with open(path, 'rb') as file:
        whole = file.read()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        with open(path, 'wb') as file:
            file.write(damaged)
        assert refusal(path).startswith(f'{path}: ')


def test_a_wrong_checksum_is_reported_with_record_and_byte(write):
    path = write(example(), example(**{LABEL: 1}))
    size = os.path.getsize(path)
    with open(path, 'r+b') as file:
        file.seek(size - 6)
        file.write(b'x')
    expected = f'{path}: record 1 at byte {size // 2}: its checksum is wrong'
    assert refusal(path) == expected


def test_a_forged_length_is_refused_before_tensorflow_believes_it(write):
    path = write(example())
    with open(path, 'r+b') as file:
        file.write(struct.pack('<Q', 2**62))
    claim = f'claims {2**62} bytes, more than are left'
    assert refusal(path) == f'{path}: record 0 at byte 0 {claim}'


def test_a_compressed_file_is_reported_as_one(write):
    path = write(example())
    with open(path, 'rb') as file:
        packed = gzip.compress(file.read())
    with open(path, 'wb') as file:
        file.write(packed)
    assert refusal(path) == f'{path}: is compressed with gzip; unpack it'


def test_a_record_of_another_kind_is_reported_with_its_place(write):
    path = write(example(), b'\xff\xff no protobuf')
    where = os.path.getsize(path) - len(b'\xff\xff no protobuf') - 16
    assert refusal(path) == f'{path}: record 1 at byte {where}: not a tf.train.Example'


@pytest.mark.parametrize(
    'wrong',
    [{ENCODED: None}, {LABEL: None}, {LABEL: b'0'}, {LABEL: [0, 1]}, {LABEL: []}, {ENCODED: 7}],
)
def test_a_record_that_lacks_a_feature_is_refused(write, wrong):
    message = refusal(path := write(example(**wrong)))
    assert message == f'{path}: record 0 at byte 0: lacks {LABEL} or {ENCODED}'


def test_an_empty_record_lacks_everything(write):
    assert refusal(write(b'')).endswith(f': record 0 at byte 0: lacks {LABEL} or {ENCODED}')


@pytest.mark.parametrize('label', [-1, 1_000_000, 2**62])
def test_a_label_that_cannot_be_is_refused(write, label):
    path = write(example(**{LABEL: label}))
    assert refusal(path) == f'{path}: record 0 at byte 0: has the label {label}'
