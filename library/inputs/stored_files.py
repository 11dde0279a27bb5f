"""Show images from outside the data set to the model, and images of it to people."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import tensorflow as tf

from library import files
from library.config.hparams import HParams
from library.inputs.image_source import Source, as_stored, encoding_of, stored_order
from library.inputs.in_session import in_session
from library.inputs.options import ImageOptions
from library.inputs.serving import decode_batch
from library.inputs.synthetic import SyntheticImages
from library.preparation.encoding_options import EncodingOptions
from library.preparation.pictures.decoded_size import SizeOptions
from library.records.example import features_of, read_file
from library.records.example_keys import read_name
from library.records.listing import Listing
from library.records.manifest import Manifest
from library.records.ranges import to_ranges
from library.runs.metadata import Run

# So many records are read through in less time than it takes to start reading anew.
READ_ON = 1000


def serving_images(encoded: tf.Tensor, params: HParams, run: Run) -> tf.Tensor:
    """Decode images as evaluation would feed them; the first links of an exported model.

    Args:
      encoded: string [batch] of JPEGs or PNGs.
      params: the run's HParams.
      run: says how the training images are stored.

    Returns:
      uint8 [batch, size, size, 3].
    """
    options = params.take(ImageOptions)
    encoding = EncodingOptions.of_stored(
        run.stored_max_edge, run.stored_quality, run.stored_pictures
    )
    return decode_batch(
        encoded,
        options.fit,
        options.center_crop,
        params.image_size,
        encoding.max_edge,
        encoding.quality,
        params.take(SizeOptions).max_pixels,
        encoding.pictures.background,
    )


def stored_files(source: Any, numbers: Collection[int]) -> Iterator[tuple[int, str, bytes]]:
    """Read chosen images of a split, as they are stored.

    Args:
      source: the split: a Manifest, ExternalRecords, a Listing or SyntheticImages.
      numbers: which ones, by their place in the stored order, from 0.

    Yields:
      Number, file name and JPEG, in stored order. Nothing for noise, which has neither.
    """
    if isinstance(source, SyntheticImages):
        return
    names = {}
    if not isinstance(source, Manifest):
        encoding = encoding_of(source)
    if isinstance(source, Listing):
        # `list_files` may give a file under another name.
        names = {files.real_path(str(image.content)): image.filename for image in source.images}
    for number, element in _elements(source, numbers):
        if isinstance(source, Listing):
            path = os.fsdecode(element[0])
            yield (
                number,
                names[files.real_path(path)],
                as_stored(path, encoding, partial(str, path)),
            )
        elif isinstance(source, Manifest):
            yield number, *read_file(element)
        else:
            features = features_of(element)
            encoded = features[source.keys.image].bytes_list.value[0]
            place = partial(source.place_of, encoded)
            yield number, read_name(features), as_stored(encoded, encoding, place)


def _elements(source: Source, numbers: Collection[int]) -> Iterator[tuple[int, Any]]:
    """Yield number and element of the stored order, of each that is wanted."""
    for first, count in to_ranges(numbers, READ_ON):
        wanted = np.isin(np.arange(first, first + count), list(numbers))
        chain = partial(_chain, source, first, wanted)
        for number, element in islice(in_session(chain), int(wanted.sum())):
            yield first + int(number), element


def _chain(source: Source, first: int, wanted: np.ndarray) -> tf.data.Dataset:
    """Make a chain of number, from `first`, and element, of those that are wanted."""

    @tf.autograph.experimental.do_not_convert
    def is_wanted(number: tf.Tensor, element: Any) -> tf.Tensor:
        return tf.gather(tf.constant(wanted), number)

    return stored_order(source, first).enumerate().filter(is_wanted)
