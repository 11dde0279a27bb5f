"""Records of features, written and read back."""

from __future__ import annotations

import errno
import hashlib

import numpy as np
import pytest
import tensorflow as tf

from library.records.features import encode_features, parse_features, write_feature_shard
from library.records.shards import PARTIAL

pytestmark = pytest.mark.graph

VECTORS = np.array([[0.0, 1.5, -2.25], [np.float32(0.1), 3e38, 1e-38]], np.float32)


def test_a_batch_is_read_back_to_the_last_bit():
    records = tf.constant(list(encode_features(VECTORS, np.array([3, 7]))))
    features, labels = parse_features(records, depth=3)
    assert features.dtype == tf.float32
    np.testing.assert_array_equal(features.numpy(), VECTORS)
    assert labels.dtype == tf.int64
    assert labels.numpy().tolist() == [3, 7]


def test_a_vector_is_little_endian_whatever_the_machine_that_wrote_it():
    (record,) = encode_features(np.array([[1.0]], '>f4'), np.array([0]))
    vector = tf.train.Example.FromString(record).features.feature['features'].bytes_list.value[0]
    # 1.0 is sign 0, exponent 127 and no fraction: 0x3F800000, its lowest byte first.
    assert vector == bytes([0x00, 0x00, 0x80, 0x3F])


def test_another_depth_than_expected_is_refused():
    records = tf.constant(list(encode_features(VECTORS, np.array([0, 1]))))
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        parse_features(records, depth=4)


def test_a_shard_is_told_by_examples_size_and_digest(tmp_path):
    shard = write_feature_shard(str(tmp_path), 'a.tfrecord', VECTORS, np.array([3, 7]))
    content = (tmp_path / 'a.tfrecord').read_bytes()
    assert (shard.name, shard.examples, shard.bytes) == ('a.tfrecord', 2, len(content))
    assert shard.sha256 == hashlib.sha256(content).hexdigest()
    assert [path.name for path in tmp_path.iterdir()] == ['a.tfrecord']


def test_a_shard_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match='argument 2 is shorter'):
        write_feature_shard(str(tmp_path), 'a.tfrecord', VECTORS, np.array([3]))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_reported_as_the_system_tells_it(tmp_path):
    (tmp_path / f'a.tfrecord{PARTIAL}').symlink_to('/dev/full')
    with pytest.raises(OSError, match='No space left on device') as error:
        write_feature_shard(str(tmp_path), 'a.tfrecord', VECTORS, np.array([3, 7]))
    assert error.value.errno == errno.ENOSPC
    assert error.value.filename == str(tmp_path / 'a.tfrecord')
    assert list(tmp_path.iterdir()) == []
