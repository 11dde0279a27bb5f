"""Read the images of a split, encoded, in stored order or one epoch after the other."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import tensorflow as tf

from library import files
from library.errors import DataError
from library.inputs.direct import from_generator, in_python, list_files
from library.inputs.epoch_stream import ENDLESS, read_shard
from library.preparation.encoding_options import EncodingOptions
from library.preparation.formats import RejectedImage
from library.preparation.workers import prepare
from library.records.example import parse_example
from library.records.example_keys import parse_foreign
from library.records.external import ExternalRecords
from library.records.listing import Listing
from library.records.manifest import Manifest

Source = Manifest | ExternalRecords | Listing


class ImageSource:
    """The images of one split: converted, records of another program, or files as they are.

    Attributes:
      split: what is read.
      examples: how many images there are.
      shuffle_buffer: encoded images to shuffle together in an epoch; 1 where `epoch` already gives
        them in their final order.
    """

    def __init__(
        self, split: Source, interleave_files: int, shuffle_buffer: int, in_stored_order: bool
    ):
        """Keep what is read, and how.

        Args:
          split: the images.
          interleave_files: shards that are read at the same time while training.
          shuffle_buffer: encoded images that are shuffled together while training.
          in_stored_order: each epoch has the stored order, to debug.
        """
        self.split = split
        self.examples = split.examples
        # Paths are short, so an epoch shuffles all of them together, before it is cut into shards.
        is_ordered = in_stored_order or isinstance(split, Listing)
        self.shuffle_buffer = 1 if is_ordered else shuffle_buffer
        self._interleave_files = interleave_files
        self._in_stored_order = in_stored_order

    def numbered(self, first: int = 0) -> tf.data.Dataset:
        """Read each image once, in stored order, behind its number.

        Args:
          first: the number to start from. Numbers of the split's size and more mean the same images
            once more; the dataset ends with the pass in which `first` lies.
        """
        skipped = first % self.examples
        numbers = tf.data.Dataset.range(first, ENDLESS)
        return tf.data.Dataset.zip((numbers, stored_order(self.split, skipped)))

    def epoch(self, seed: tf.Tensor, shard_index: tf.Tensor, shards: int) -> tf.data.Dataset:
        """Read one shard of an epoch, still to be shuffled.

        Args:
          seed: int64, of the epoch's order.
          shard_index: which shard, from 0; int64.
          shards: how many parts the epoch is cut into; 1 is the whole epoch.
        """
        if self._in_stored_order:
            return stored_order(self.split).shard(shards, shard_index)
        if isinstance(self.split, Listing):
            # A shard then has other images in each epoch.
            images = stored_order(self.split)
            images = images.shuffle(self.examples, seed, reshuffle_each_iteration=False)
            return images.shard(shards, shard_index)
        # Reading several files in turns mixes them; the buffer holds JPEGs, which take a tenth of
        # their pixels, and only those of the shard.
        paths = self.split.shard_paths
        return read_shard(paths, seed, self._interleave_files, shard_index, shards)

    def read(self, element: Any) -> dict[str, tf.Tensor]:
        """Turn an element of these datasets into {'jpeg': string, 'label': int64} scalars.

        Images that were not converted go through the code of a conversion, so an image of any
        format, turned by its EXIF tag or not, looks to the model as a converted one does.
        """
        if isinstance(self.split, Listing):
            path, label = element
            prepare_file = partial(_prepare_file, encoding=encoding_of(self.split))
            return {'jpeg': in_python(prepare_file, path), 'label': label}
        if isinstance(self.split, Manifest):
            example = parse_example(element)
            if self.split.labels:
                example['label'] = tf.gather(
                    tf.constant(self.split.labels, tf.int64), example['label']
                )
            return example
        split, encoding = self.split, encoding_of(self.split)

        def prepare_bytes(encoded: bytes) -> bytes:
            return as_stored(encoded, encoding, lambda: split.place_of(encoded))

        example = parse_foreign(element, split.keys, split.class_names)
        return example | {'jpeg': in_python(prepare_bytes, example['jpeg'])}


def stored_order(source: Source, first: int = 0) -> tf.data.Dataset:
    """Read each image once: as a record, or as (path, label) where nothing was converted.

    Args:
      source: the images.
      first: how many of them to leave out at the start; their records are not read.
    """
    if isinstance(source, Listing):
        images = [(str(image.content), image.label) for image in source.images]
        in_folder = files.is_folder(source.folder)
        return (list_files(dict(images)) if in_folder else from_generator(images)).skip(first)
    paths = list(source.shard_paths)
    if isinstance(source, Manifest):
        counts = [shard.examples for shard in source.shards if shard.examples]
        while len(paths) > 1 and first >= counts[0]:
            first -= counts.pop(0)
            del paths[0]
    # Files of records leave some out by their lengths alone.
    return tf.data.TFRecordDataset(paths).skip(first)


def encoding_of(split: Listing | ExternalRecords) -> EncodingOptions:
    """Say how images are encoded that were not converted: at their size, or at the run's."""
    return EncodingOptions.of_stored(
        split.max_edge, split.quality, split.pictures, split.max_pixels
    )


def _prepare_file(path: bytes, encoding: EncodingOptions) -> bytes:
    name = os.fsdecode(path)
    return as_stored(name, encoding, lambda: name)


def as_stored(content: str | bytes, encoding: EncodingOptions, place: Callable[[], str]) -> bytes:
    """Encode an image that was not converted, as a conversion would store it.

    Args:
      content: the path of its file, or the file's bytes.
      encoding: as `encoding_of` gives it.
      place: names the image, for messages.

    Raises:
      DataError: it cannot be read.
    """
    outcome = prepare(content, encoding)
    if isinstance(outcome, RejectedImage):
        raise DataError(f'{place()}: {outcome}; take it out, or convert the data set')
    return outcome.jpeg
