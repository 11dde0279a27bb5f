"""The writer and the reader of one record agree, and the bytes are always the same."""

import hashlib

import pytest
import tensorflow as tf

from library.records.example import encode_example, parse_example

pytestmark = pytest.mark.graph

JPEG = b'\xff\xd8 not decoded here \xff\xd9'


def encoded(**changes):
    values = {
        'jpeg': JPEG,
        'height': 3,
        'width': 5,
        'label': 2,
        'text': 'dög',
        'filename': 'dög/a.jpg',
    }
    return encode_example(**{**values, **changes})


def features_of(record):
    return tf.train.Example.FromString(record).features.feature


def test_what_training_needs_is_read_back():
    parsed = parse_example(tf.constant(encoded()))
    assert parsed['jpeg'].numpy() == JPEG
    assert parsed['label'].numpy() == 2
    assert parsed['label'].dtype == tf.int64
    assert set(parsed) == {'jpeg', 'label'}


def test_a_record_has_the_keys_that_other_programs_know():
    features = features_of(encoded())
    assert features['image/encoded'].bytes_list.value == [JPEG]
    assert features['image/format'].bytes_list.value == [b'jpeg']
    assert features['image/height'].int64_list.value == [3]
    assert features['image/width'].int64_list.value == [5]
    assert features['image/class/label'].int64_list.value == [2]
    assert features['image/class/text'].bytes_list.value == ['dög'.encode()]
    assert features['image/filename'].bytes_list.value == ['dög/a.jpg'.encode()]
    assert len(features) == 7


def test_names_that_are_no_utf_8_are_written_as_their_bytes():
    features = features_of(encoded(text='c\udce9t', filename='c\udce9t/\udcff.jpg'))
    assert features['image/class/text'].bytes_list.value == [b'c\xe9t']
    assert features['image/filename'].bytes_list.value == [b'c\xe9t/\xff.jpg']


def test_the_same_image_gives_the_same_bytes_on_every_machine():
    digest = hashlib.sha256(encoded()).hexdigest()
    assert digest == 'de1caa985c74381c6ea6a29a9c4866b1613a938d2e31b8dd8c590d0e0739f8f6'


def test_a_record_without_its_label_is_an_error_of_tensorflow():
    example = tf.train.Example()
    example.features.feature['image/encoded'].bytes_list.value.append(JPEG)
    with pytest.raises(tf.errors.InvalidArgumentError, match='image/class/label'):
        parse_example(tf.constant(example.SerializeToString()))
