"""Read image files that were not converted.

Two ways to start, by what the data set is. A folder is listed by TensorFlow; anything else, such
as a CSV file, comes from a Python generator. Both give (path, label), which cost nothing to shuffle
or to skip; files are read after that.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import tensorflow as tf

from library import files
from library.errors import DataError


@tf.autograph.experimental.do_not_convert
def list_files(labels: Mapping[str, int]) -> tf.data.Dataset:
    """List paths by tf.data.Dataset.list_files, each with its label.

    Args:
      labels: label by path. Other files of the same folders are left out.

    Returns:
      (path, label): string and int64 scalars, sorted; links within the paths are resolved.
    """
    # Patterns of whole folders: one for each file would list its folder once for each file. With
    # // or .. in it, or relative, a pattern finds nothing, or finds it under another name.
    folders = {os.path.dirname(path) for path in labels}
    place = {each: files.real_path(each) for each in folders}
    patterns = [os.fsencode(files.join(_escaped(each), '*')) for each in sorted(place.values())]
    paths = [files.join(place[os.path.dirname(p)], os.path.basename(p)) for p in labels]
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            [os.fsencode(path) for path in paths], list(labels.values()), tf.string, tf.int64
        ),
        default_value=-1,
    )
    dataset = tf.data.Dataset.list_files(patterns, shuffle=False)
    dataset = dataset.map(lambda path: (path, table.lookup(path)))
    return dataset.filter(lambda path, label: label >= 0)


@tf.autograph.experimental.do_not_convert
def from_generator(images: Sequence[tuple[str, int]]) -> tf.data.Dataset:
    """Generate paths by tf.data.Dataset.from_generator, each with its label.

    Args:
      images: (path, label) in order.

    Returns:
      (path, label): string and int64 scalars.
    """

    def generate() -> Iterator[tuple[bytes, int]]:
        for path, label in images:
            yield os.fsencode(path), label

    signature = (tf.TensorSpec([], tf.string), tf.TensorSpec([], tf.int64))
    return tf.data.Dataset.from_generator(generate, output_signature=signature)


def in_python(function: Callable[[bytes], bytes], value: tf.Tensor) -> tf.Tensor:
    """Call a Python function on a string scalar within the chain.

    Such a chain cannot be sent to other machines, and only one of its calls runs at a time as far
    as they are Python; Pillow decodes outside of Python's lock.

    Args:
      function: bytes to bytes; what it raises ends the run.
      value: string scalar.

    Returns:
      String scalar.
    """

    def call(content: bytes) -> bytes:
        try:
            return function(content)
        except DataError as error:
            # Of a wrapped error only one line is shown; and on a name that is no UTF-8 TensorFlow
            # would end the process.
            text = ' '.join(str(error).splitlines())
            raise DataError(text.encode('utf-8', 'backslashreplace').decode()) from None

    return tf.ensure_shape(tf.numpy_function(call, [value], tf.string, stateful=False), [])


def _escaped(folder: str) -> str:
    """Return the folder's name as a pattern that stands for itself alone."""
    return re.sub(r'([*?\[\]\\{}])', r'\\\1', folder)
