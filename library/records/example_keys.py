"""Find the image and the label in the records of other programs, by the keys that these use.

Only the reader inside a graph imports TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from library.errors import ConfigError
from library.records.example import ENCODED, FILENAME, LABEL, TEXT, features_of

if TYPE_CHECKING:
    import tensorflow as tf

# The keys of slim and Inception first, then those of TFDS, Kaggle and others.
IMAGE_KEYS = (ENCODED, 'image', 'image_raw', 'img', 'jpeg', 'jpg', 'png')
LABEL_KEYS = (LABEL, 'label', 'class', 'target', 'cls', 'image/label', TEXT, 'class_name')
FILENAME_KEYS = (FILENAME, 'filename', 'file_name', 'image/file_name', 'image/id', 'image_id', 'id')

# How a record gives its class: a number, a text, or 0 and 1 for each class.
NUMBER, NAME, FLAGS = 'number', 'name', 'flags'
SHOWN = 12


@dataclass(frozen=True)
class Keys:
    """Which features of a record hold what.

    Attributes:
      image: the key of the encoded image. label: that of the class.
      kind: NUMBER, NAME or FLAGS. flags: how many classes the flags stand for. floats: whether
        these are floats.
      text: the key of the name of a numbered class.
    """

    image: str = ENCODED
    label: str = LABEL
    kind: str = NUMBER
    flags: int = 0
    floats: bool = False
    text: str = TEXT

    @property
    def are_usual(self) -> bool:
        """Return True for the keys that this program's own records have."""
        return (self.image, self.label) == (ENCODED, LABEL)


USUAL = Keys()


def find_keys(record: bytes, image_key: str | None, label_key: str | None) -> Keys:
    """Find the keys of a file's first record.

    Args:
      record: an example.
      image_key, label_key: as a person named them; None takes the usual one that is there.

    Raises:
      ConfigError: a key that was named is not there.
      ValueError: there is no image or no label, or several may be meant; the message lists what the
        record has.
    """
    features = features_of(record)
    for key, flag in ((image_key, 'record_image_key'), (label_key, 'record_label_key')):
        if key is not None and key not in features:
            raise ConfigError(f'--{flag} {key}: the record has {_listed(features)}')
    images = [image_key] if image_key else [key for key in IMAGE_KEYS if _is_image(features, key)]
    labels = [label_key] if label_key else [key for key in LABEL_KEYS if key in features]
    # What the own keys hold needs no guess, and a name stands beside its number.
    images = images[:1] if ENCODED in images else images
    labels = labels[:1] if {LABEL, TEXT} & set(labels[:1]) else labels
    for found, wanted, flag in (
        (images, ENCODED, 'record_image_key'),
        (labels, LABEL, 'record_label_key'),
    ):
        if not found:
            raise ValueError(f'the record has {_listed(features)}; wanted {wanted} (--{flag})')
        if len(found) > 1:
            raise ValueError(f'{" and ".join(found)} may be meant: name one (--{flag})')
    return _with_kind(features, images[0], labels[0])


def _with_kind(features: Any, image: str, label: str) -> Keys:
    feature = features[label]
    if feature.bytes_list.value:
        return Keys(image, label, NAME)
    numbers = feature.int64_list.value
    if len(numbers) == 1:
        return Keys(image, label)
    flags = numbers or feature.float_list.value
    return (
        Keys(image, label, FLAGS, len(flags), floats=not numbers) if flags else Keys(image, label)
    )


def _is_image(features: Any, key: str) -> bool:
    return key in features and len(features[key].bytes_list.value) == 1


def _listed(features: Any) -> str:
    names = sorted(features)
    return ', '.join(names[:SHOWN]) + ' ...' * (len(names) > SHOWN) if names else 'no features'


def read_label(features: Any, keys: Keys) -> tuple[int, str]:
    """Return the label and the class name of a record, by the keys that were found.

    Returns:
      The number, -1 where the class is given as a name; the name, '' where the record has none.

    Raises:
      ValueError: the record lacks one label or one image; the message lists what it has.
    """
    label = features.get(keys.label)
    for key, found in ((keys.image, _is_image(features, keys.image)), (keys.label, label)):
        if not found:
            raise ValueError(f'the record has {_listed(features)}; wanted one {key}')
    assert label is not None
    if keys.kind == NAME:
        if len(label.bytes_list.value) != 1:
            raise ValueError(f'{keys.label} is not one text')
        return -1, _text(label.bytes_list.value[0])
    if keys.kind == FLAGS:
        return _flag(keys, label), ''
    if len(label.int64_list.value) != 1:
        raise ValueError(f'{keys.label} is not one whole number')
    text = features[keys.text].bytes_list.value if keys.text in features else ()
    return label.int64_list.value[0], _text(text[0]) if text else ''


def _flag(keys: Keys, label: Any) -> int:
    flags: Sequence[float] = (label.float_list if keys.floats else label.int64_list).value
    if len(flags) != keys.flags or not set(flags) <= {0, 1}:
        raise ValueError(f'{keys.label} is not a list of {keys.flags} times 0 or 1')
    if sum(flags) != 1:
        raise ValueError(
            f'{keys.label} is 1 for {int(sum(flags))} classes: each picture has one here'
        )
    return list(flags).index(1)


def read_name(features: Any) -> str:
    """Return the name of the image's file, '' where the record has none."""
    for key in FILENAME_KEYS:
        if _is_image(features, key):
            return _text(features[key].bytes_list.value[0])
    return ''


def parse_foreign(
    serialized: tf.Tensor, keys: Keys, class_names: Sequence[str]
) -> dict[str, tf.Tensor]:
    """Read an image and its label inside a graph, of a record that was read once before.

    Args:
      serialized: string scalar.
      keys: of the features.
      class_names: in the order of the labels, for records that give the class by name.

    Returns:
      'jpeg': string scalar, an image of any format; 'label': int64 scalar.
    """
    import tensorflow as tf

    kinds = {
        NUMBER: tf.io.FixedLenFeature([], tf.int64),
        NAME: tf.io.FixedLenFeature([], tf.string),
        FLAGS: tf.io.FixedLenFeature([keys.flags], tf.float32 if keys.floats else tf.int64),
    }
    features = {keys.image: tf.io.FixedLenFeature([], tf.string), keys.label: kinds[keys.kind]}
    parsed = tf.io.parse_single_example(serialized, features)
    label = parsed[keys.label]
    if keys.kind == NAME:
        names = tf.constant([name.encode('utf-8', 'surrogateescape') for name in class_names])
        label = tf.argmax(tf.cast(tf.equal(names, label), tf.int64))
    elif keys.kind == FLAGS:
        label = tf.argmax(label)
    return {'jpeg': parsed[keys.image], 'label': label}


def _text(value: bytes) -> str:
    return value.decode('utf-8', 'surrogateescape')
