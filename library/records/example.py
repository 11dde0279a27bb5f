"""Write and read one labelled image as a tf.train.Example.

Only the reader inside a graph imports TensorFlow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from library.records.example_message import example_class

if TYPE_CHECKING:
    import tensorflow as tf

ENCODED = 'image/encoded'
FORMAT = 'image/format'
HEIGHT = 'image/height'
WIDTH = 'image/width'
LABEL = 'image/class/label'
TEXT = 'image/class/text'
FILENAME = 'image/filename'


def encode_example(
    jpeg: bytes, height: int, width: int, label: int, text: str, filename: str
) -> bytes:
    """Serialize one image.

    Args:
      jpeg: an upright RGB JPEG.
      height, width: its size in pixels.
      label: index into the manifest's class names.
      text: the class name.
      filename: the path below the data set's folder. Names that are no UTF-8 carry their bytes
        as surrogates, as os.fsdecode gives them, and are written as those bytes.

    Returns:
      The same bytes for the same arguments, on every machine.
    """
    example = example_class()()
    features = example.features.feature
    for name, value in (
        (ENCODED, jpeg),
        (FORMAT, b'jpeg'),
        (TEXT, text.encode('utf-8', 'surrogateescape')),
        (FILENAME, filename.encode('utf-8', 'surrogateescape')),
    ):
        features[name].bytes_list.value.append(value)
    for name, number in ((HEIGHT, height), (WIDTH, width), (LABEL, label)):
        features[name].int64_list.value.append(number)
    # Without deterministic=True a map is written in the order of insertion.
    return bytes(example.SerializeToString(deterministic=True))


def features_of(record: bytes) -> Any:
    """Return the features of a record by key; raise ValueError if it is no example."""
    try:
        return example_class().FromString(record).features.feature
    # protobuf's own error class differs between its implementations.
    except Exception:
        raise ValueError('not a tf.train.Example') from None


def read_example(record: bytes) -> tuple[int, str, bytes]:
    """Read one record outside of a graph, without trusting it.

    Args:
      record: as it lies in a shard.

    Returns:
      Label, class name ('' where the record has none) and encoded image.

    Raises:
      ValueError: it is no example, or lacks one label and one image; the message says which.
    """
    feature = features_of(record)
    label, encoded = feature[LABEL].int64_list.value, feature[ENCODED].bytes_list.value
    if len(label) != 1 or len(encoded) != 1:
        raise ValueError(f'lacks {LABEL} or {ENCODED}')
    text = feature[TEXT].bytes_list.value
    name = text[0].decode('utf-8', 'surrogateescape') if text else ''
    return label[0], name, encoded[0]


def read_file(record: bytes) -> tuple[str, bytes]:
    """Return file name ('' if it has none) and encoded image of a record of a checked shard."""
    feature = features_of(record)
    name = feature[FILENAME].bytes_list.value
    encoded = feature[ENCODED].bytes_list.value[0]
    return (name[0].decode('utf-8', 'surrogateescape') if name else ''), encoded


def parse_example(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
    """Read back what training needs.

    Args:
      serialized: string scalar.

    Returns:
      'jpeg': string scalar; 'label': int64 scalar.
    """
    import tensorflow as tf

    parsed = tf.io.parse_single_example(
        serialized,
        {ENCODED: tf.io.FixedLenFeature([], tf.string), LABEL: tf.io.FixedLenFeature([], tf.int64)},
    )
    return {'jpeg': parsed[ENCODED], 'label': parsed[LABEL]}
