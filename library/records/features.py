"""Write and read the features of labelled images as records."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from library import files
from library.records.feature_manifest import FeatureShard
from library.records.shards import PARTIAL

VECTOR = 'features'
LABEL = 'label'
# What a file holds does not depend on the machine that wrote it.
LITTLE_ENDIAN_FLOAT = np.dtype('<f4')
# What TensorFlow makes of the system's errors, back to them.
ERRORS = {
    tf.errors.ResourceExhaustedError: errno.ENOSPC,
    tf.errors.PermissionDeniedError: errno.EACCES,
    tf.errors.NotFoundError: errno.ENOENT,
}


def write_feature_shard(
    folder: str, name: str, features: np.ndarray, labels: np.ndarray
) -> FeatureShard:
    """Write FOLDER/NAME, whole or not at all; durable when it returns.

    Args:
      folder: where.
      name: of the file.
      features: float [examples, depth].
      labels: int [examples].

    Returns:
      What was written; the same bytes for the same arguments.

    Raises:
      OSError: the disk is full or the folder may not be written; what is unfinished is removed.
    """
    path = files.join(folder, name)
    partial = path + PARTIAL
    try:
        with tf.io.TFRecordWriter(partial) as writer:
            for record in encode_features(features, labels):
                writer.write(record)
        if not files.is_remote(partial):
            files.sync(partial)
        length, sha256 = files.digest(partial)
        files.replace(partial, path)
    except BaseException as error:
        with contextlib.suppress(Exception):
            files.remove(partial)
        # Here alone: where a graph runs, the same class may mean a GPU's memory.
        if isinstance(error, tf.errors.OpError):
            number = ERRORS.get(type(error), errno.EIO)
            raise OSError(number, os.strerror(number), path) from error
        raise
    return FeatureShard(name, len(labels), length, sha256)


def encode_features(features: np.ndarray, labels: np.ndarray) -> Iterator[bytes]:
    """Serialize images, one record each.

    Args:
      features: float [examples, depth].
      labels: int [examples].
    """
    vectors = np.ascontiguousarray(features, LITTLE_ENDIAN_FLOAT)
    for vector, label in zip(vectors, labels, strict=True):
        content = {
            # Bytes are read a third faster than a list of floats.
            VECTOR: tf.train.Feature(bytes_list=tf.train.BytesList(value=[vector.tobytes()])),
            LABEL: tf.train.Feature(int64_list=tf.train.Int64List(value=[int(label)])),
        }
        example = tf.train.Example(features=tf.train.Features(feature=content))
        yield example.SerializeToString(deterministic=True)


def parse_features(serialized: tf.Tensor, depth: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Read a batch back.

    Args:
      serialized: string [batch].
      depth: length of each vector.

    Returns:
      float32 [batch, depth] features and int64 [batch] labels.
    """
    parsed = tf.io.parse_example(
        serialized,
        {VECTOR: tf.io.FixedLenFeature([], tf.string), LABEL: tf.io.FixedLenFeature([], tf.int64)},
    )
    vectors = tf.io.decode_raw(parsed[VECTOR], tf.float32, little_endian=True)
    return tf.ensure_shape(vectors, [None, depth]), parsed[LABEL]
