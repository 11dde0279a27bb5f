"""Give the images of a TFRecord file, ours or not; damage is the error of a prediction."""

from __future__ import annotations

import os
from collections.abc import Iterator

import tensorflow as tf

from library import files
from library.preparation.formats import one_line
from library.records.example import ENCODED, FILENAME
from library.records.framing import walk
from library.records.listing import Content, Unusable


def read_images(path: str) -> Iterator[tuple[str, Content]]:
    """Yield the name and the encoded image of each record.

    The name is the record's image/filename, or PATH#NUMBER. What cannot be read is one more entry,
    the last where the rest of the file is lost.
    """
    number = 0
    try:
        # TensorFlow would end the process at a forged length.
        starts, problem = walk(path)
        # Unlike a Dataset's, this iterator needs neither a session nor eager execution.
        records = tf.compat.v1.io.tf_record_iterator(os.fsencode(path))
        for number, start in enumerate(starts):
            place = f'{path}#{number}'
            try:
                record = next(records)
            except tf.errors.DataLossError:
                lost = f'; {len(starts) - number - 1} records behind it were not read'
                yield place, Unusable(f'its checksum is wrong (at byte {start}){lost}')
                return
            yield _image(record, place)
        if problem:
            yield f'{path}#{len(starts)}', Unusable(problem)
    except (OSError, tf.errors.OpError, StopIteration) as error:
        if isinstance(error, OSError) and files.is_exhausted(error):
            raise
        reason = getattr(error, 'strerror', None) or getattr(error, 'message', None)
        yield f'{path}#{number}', Unusable(one_line(reason or 'changed while it was read').lower())


def _image(record: bytes, place: str) -> tuple[str, Content]:
    try:
        feature = tf.train.Example.FromString(record).features.feature
    # protobuf's own error class differs between its implementations.
    except Exception:
        return place, Unusable('not a tf.train.Example')
    names, images = (list(feature[key].bytes_list.value) for key in (FILENAME, ENCODED))
    name = names[0].decode('utf-8', 'surrogateescape') if names and names[0] else place
    if len(images) != 1:
        return name, Unusable(f'the record lacks {ENCODED}')
    return name, images[0]
