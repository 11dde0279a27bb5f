"""The data of a run to a stream of its images, encoded, in stored order or shuffled."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from library import files
from library.errors import DataError
from library.inputs.direct import from_generator, in_python, list_files
from library.inputs.epoch_stream import read_share, seed_of
from library.inputs.options import DataOptions, PipelineOptions
from library.inputs.reading import list_shards, parallel_interleave
from library.preparation.formats import RejectedImage
from library.preparation.recipe import Recipe
from library.preparation.workers import prepare
from library.records.example import parse_example
from library.records.foreign import ForeignRecords
from library.records.listing import Listing
from library.records.manifest import Manifest

Source = Manifest | ForeignRecords | Listing

# Direct sources keep the size that their images have.
AS_THEY_ARE = Recipe.of_stored(None, None)


def stored_order(source: Source, first: int = 0) -> tf.data.Dataset:
    """Each image once: as a record, or as (path, label) where nothing was converted.

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
    if not first:
        return _in_turn(paths)
    # A file of records leaves some out by their lengths alone.
    rest = tf.data.TFRecordDataset(paths[0]).skip(first)
    return rest.concatenate(_in_turn(paths[1:])) if paths[1:] else rest


def _in_turn(paths: list[str]) -> tf.data.Dataset:
    return parallel_interleave(list_shards(paths, None), files_at_once=1)


def shuffled_share(
    source: Source, data: DataOptions, pipeline: PipelineOptions, seed: int, shares: int
) -> Callable[[tf.Tensor, tf.Tensor], tf.data.Dataset]:
    """A share of an epoch by their numbers, each epoch in another order; stored order to debug.

    A program that trains alone, without a tf.data service, has one share: the whole epoch.
    """

    def one_share(epoch: tf.Tensor, share: tf.Tensor) -> tf.data.Dataset:
        if data.debug:
            return stored_order(source).shard(shares, share)
        epoch_seed = seed_of(epoch, seed)
        if isinstance(source, Listing):
            # Paths are short, so all of them are shuffled together; then a share has other images
            # in each epoch.
            images = stored_order(source)
            images = images.shuffle(source.examples, epoch_seed, reshuffle_each_iteration=False)
            return images.shard(shares, share)
        # Reading several shards in turns mixes them; the buffer holds JPEGs, which take a tenth of
        # their pixels, and only those of the share.
        paths = source.shard_paths
        files = list_shards(paths, epoch_seed)
        records = read_share(files, len(paths), pipeline.interleave_files, share, shares)
        return records.shuffle(data.shuffle_buffer, epoch_seed, reshuffle_each_iteration=False)

    return one_share


def read_jpeg(source: Source) -> Callable[[Any], dict[str, tf.Tensor]]:
    """What turns an element of these streams into {'jpeg': string, 'label': int64} scalars.

    Images that were not converted go through the code of a conversion, so a picture of any format,
    turned by its EXIF tag or not, looks to the model as a converted one does.
    """
    if isinstance(source, Listing):
        return lambda image: {'jpeg': in_python(_prepare_file, image[0]), 'label': image[1]}
    if isinstance(source, Manifest):
        return parse_example

    def read_foreign(record: tf.Tensor) -> dict[str, tf.Tensor]:
        example = parse_example(record)
        return example | {'jpeg': in_python(prepare_bytes, example['jpeg'])}

    def prepare_bytes(encoded: bytes) -> bytes:
        return as_stored(encoded, f'{source.folder}: an image')

    return read_foreign


def _prepare_file(path: bytes) -> bytes:
    name = os.fsdecode(path)
    return as_stored(name, name)


def as_stored(content: str | bytes, name: str) -> bytes:
    """An image that was not converted, as a conversion would store it.

    Args:
      content: the path of its file, or the file's bytes.
      name: for messages.

    Raises:
      DataError: it cannot be read.
    """
    outcome = prepare(content, AS_THEY_ARE)
    if isinstance(outcome, RejectedImage):
        raise DataError(f'{name}: {outcome}; take it out, or convert the data set')
    return outcome.jpeg
