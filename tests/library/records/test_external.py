"""TFRecords of other programs: what they hold, and how bad ones are told."""

from __future__ import annotations

import gzip
import os
import struct
import zlib

import pytest
import tensorflow as tf

from library.errors import ConfigError, DataError
from library.records.example import ENCODED, LABEL, TEXT
from library.records.example_keys import parse_foreign
from library.records.external import ExternalRecords, read_external

pytestmark = pytest.mark.graph

Feature = tf.train.Feature


def feature(value):
    if isinstance(value, bytes):
        return Feature(bytes_list=tf.train.BytesList(value=[value]))
    labels = value if isinstance(value, list) else [value]
    if labels and isinstance(labels[0], float):
        return Feature(float_list=tf.train.FloatList(value=labels))
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


def test_a_file_that_is_compressed_otherwise_is_reported_as_such(write):
    path = write(example())
    with open(path, 'rb') as file:
        packed = zlib.compress(file.read())
    with open(path, 'wb') as file:
        file.write(packed)
    assert refusal(path) == f'{path}: is compressed with zlib; write it without'


def test_a_record_of_another_kind_is_reported_with_its_place(write):
    path = write(example(), b'\xff\xff no protobuf')
    where = os.path.getsize(path) - len(b'\xff\xff no protobuf') - 16
    assert refusal(path) == f'{path}: record 1 at byte {where}: not a tf.train.Example'


@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        ({ENCODED: None}, f'the record has {LABEL}; wanted {ENCODED} (--record_image_key)'),
        ({LABEL: None}, f'the record has {ENCODED}; wanted {LABEL} (--record_label_key)'),
        (
            {LABEL: None, 'kind': 1, ENCODED: None, 'jpg': b'x'},
            f'the record has jpg, kind; wanted {LABEL} (--record_label_key)',
        ),
        ({LABEL: []}, f'{LABEL} is not one whole number'),
        ({LABEL: [0, 2]}, f'{LABEL} is not a list of 2 times 0 or 1'),
        ({LABEL: [1, 1, 0]}, f'{LABEL} is 1 for 2 classes: each picture has one here'),
        ({ENCODED: 7}, f'the record has {LABEL}, {ENCODED}; wanted {ENCODED} (--record_image_key)'),
        (
            {ENCODED: None, 'image': b'x', 'png': b'x'},
            'image and png may be meant: name one (--record_image_key)',
        ),
        (
            {LABEL: None, 'label': 0, 'class': 0},
            'label and class may be meant: name one (--record_label_key)',
        ),
    ],
)
def test_a_record_without_one_image_and_one_label_says_what_it_has(write, wrong, message):
    assert refusal(path := write(example(**wrong))) == f'{path}: record 0 at byte 0: {message}'


def test_a_later_record_that_lacks_what_the_first_had_is_refused(write):
    message = refusal(write(example(), example(**{LABEL: None})))
    assert message.endswith(f': the record has {ENCODED}; wanted one {LABEL}')
    message = refusal(write(example(**{LABEL: b'cat'}), example(**{LABEL: 1})))
    assert message.endswith(f': {LABEL} is not one text')


def test_an_empty_record_lacks_everything(write):
    assert refusal(write(b'')).endswith(
        f': the record has no features; wanted {ENCODED} (--record_image_key)'
    )


# The keys of others.


def foreign(key='image', label_key='label', value=0, **others):
    return example(**{ENCODED: None, LABEL: None, key: b'an image', label_key: value, **others})


@pytest.mark.parametrize('keys', [('image', 'label'), ('image', 'class'), ('jpg', 'cls')])
def test_usual_keys_are_recognised(write, keys):
    records = read_external([write(foreign(*keys), foreign(*keys, 1))], 'r')
    assert (records.keys.image, records.keys.label) == keys
    assert (records.class_names, records.label_counts) == (('0', '1'), (1, 1))


def test_other_keys_are_named(write):
    path = write(foreign('pixels', 'kind', 2, image=b'x', label=0))
    records = read_external([path], 'r', 'pixels', 'kind')
    assert records.class_names == ('0', '1', '2')
    with pytest.raises(ConfigError) as caught:
        read_external([path], 'r', 'pixel', None)
    assert str(caught.value) == (
        f'{path}: record 0 at byte 0: --record_image_key pixel: the record has image, kind, '
        'label, pixels'
    )


def test_classes_given_by_name_are_numbered_in_the_order_of_the_names(write):
    path = write(*(foreign(value=name) for name in (b'dog', b'cat', b'dog')))
    records = read_external([path], 'r')
    assert (records.class_names, records.label_counts) == (('cat', 'dog'), (1, 2))
    renamed = records.renamed(('ant', 'dog', 'cat'))
    assert renamed.label_counts == (0, 2, 1)


@pytest.mark.parametrize('flags', [[0, 0, 1], [0.0, 0.0, 1.0]])
def test_a_list_of_0_and_1_is_a_class(write, flags):
    records = read_external([write(foreign(value=flags))], 'r')
    assert (records.class_names, records.label_counts) == (('0', '1', '2'), (0, 0, 1))


def test_what_was_read_once_is_read_the_same_inside_a_graph(write):
    for values, expected in (
        ([3, 1], [3, 1]),
        ([b'dog', b'cat'], [1, 0]),
        ([[0, 1], [1, 0]], [1, 0]),
        ([[0.0, 1.0], [1.0, 0.0]], [1, 0]),
    ):
        serialized = [foreign(value=value) for value in values]
        records = read_external([write(*serialized)], 'r')
        parsed = [parse_foreign(each, records.keys, records.class_names) for each in serialized]
        assert [int(each['label']) for each in parsed] == expected
        assert {each['jpeg'].numpy() for each in parsed} == {b'an image'}


def test_an_image_is_found_again_with_its_name(write):
    path = write(
        example(), foreign_name := example(**{ENCODED: b'other', 'image/filename': b'a.png'})
    )
    records = read_external([path], 'r')
    start = os.path.getsize(path) - len(foreign_name) - 16
    assert records.place_of(b'other') == f'{path}: record 1 at byte {start} (a.png)'
    assert records.place_of(b'gone') == 'r: an image'


@pytest.mark.parametrize(
    ('shards', 'buffer', 'at_once', 'only'),
    [
        ([[0] * 5 + [1] * 5], 5, 8, '0'),
        ([[0] * 5 + [1] * 5], 6, 8, None),
        ([[0] * 5 + [1, 0]], 5, 8, None),
        ([[0] * 5 + [1], [0] * 5 + [1]], 10, 2, '0'),
        ([[0] * 5 + [1], [1] * 5], 10, 2, None),
        ([[0] * 5], 2, 1, None),
    ],
)
def test_records_that_lie_sorted_by_class_are_noticed(write, shards, buffer, at_once, only):
    paths = [
        write(*(example(**{LABEL: label}) for label in labels), name=f'{number}.tfrecord')
        for number, labels in enumerate(shards)
    ]
    assert read_external(paths, 'r').only_class_at_first(buffer, at_once) == only


@pytest.mark.parametrize('label', [-1, 1_000_000, 2**62])
def test_a_label_that_cannot_be_is_refused(write, label):
    path = write(example(**{LABEL: label}))
    assert refusal(path) == f'{path}: record 0 at byte 0: has the label {label}'
