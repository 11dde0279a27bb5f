"""Open what --train_metadata and --eval_metadata name: tables, folders, records of others."""

from __future__ import annotations

import dataclasses
import os
import sys
from typing import Any

from library import files
from library.config.hparams import HParams
from library.errors import ConfigError, DataError
from library.inputs.foreign_records import describe
from library.preparation.image_files import is_archive
from library.preparation.options import SourceOptions, TableOptions
from library.preparation.output import Output, wrote
from library.preparation.pictures.decoded_size import SizeOptions
from library.preparation.pictures.picture_options import PictureOptions
from library.preparation.sources.registry import Sources, find_source, source_class
from library.records.external import read_external
from library.records.listing import (
    LabelledImage,
    Listing,
    Remark,
    Unusable,
    check_one_label,
)
from library.records.manifest import Manifest, check_whole, read_manifest
from library.records.shards import is_record_file

# Images of a direct source that may be unusable, as when converting.
MAX_BAD_FRACTION = 0.1
# Names in one line.
SHOWN = 10


# The source of TFRecords, which are read in place.
RECORDS = 'tfrecord'
# Endings of tables of images, which are given alone.
TABLES = ('.csv', '.tsv', '.jsonl', '.ndjson', '.parquet')

_MUST_BE_CONVERTED = '{}: must be converted first (convert_dataset.py --dataset_dir)'


def open_metadata(
    metadata: tuple[str, ...],
    sources: Sources,
    training: bool,
    params: HParams,
    known: tuple[str, ...],
) -> Manifest | Listing | Any:
    """Open data by their names: a table, a folder of images, or TFRecords.

    Args:
      metadata: what the option gives: one table or folder, or patterns of TFRecord files.
      sources: of images as they are, by name.
      training: which of the two options.
      params: the run's HParams, for how tables and records are read.
      known: the run's classes; () if it has none yet.

    Returns:
      A Manifest where a conversion of this program wrote the records, ExternalRecords or a Listing.

    Raises:
      ConfigError: there is no such data.
      DataError: it is damaged, or has too many bad images.
    """
    flag = f'--{"train" if training else "eval"}_metadata'
    # An unquoted DIR/train* is also what a conversion writes beside the shards.
    metadata = tuple(each for each in metadata if not _lies_beside_records(each)) or metadata
    first, pictures = metadata[0], params.take(PictureOptions).to_json()
    max_pixels = params.take(SizeOptions).max_pixels
    if len(metadata) == 1 and (_is_table(first) or files.is_folder(first)):
        listing = _list_images(first, sources, flag, params.take(TableOptions), known)
        return dataclasses.replace(listing, pictures=pictures, max_pixels=max_pixels)
    paths = sorted({path for pattern in metadata for path in _record_files(pattern, sources, flag)})
    own = _own_records(paths)
    if own is not None:
        return own
    image_key, label_key = params.record_image_key, params.record_label_key
    records = read_external(paths, ', '.join(metadata), image_key, label_key)
    named = image_key is not None and label_key is not None
    for line in describe(records, named, params, training):
        print(line, file=sys.stderr)
    return dataclasses.replace(records, pictures=pictures, max_pixels=max_pixels)


def _is_table(path: str) -> bool:
    return path.lower().endswith(TABLES) and files.exists(path)


def _lies_beside_records(path: str) -> bool:
    """Return True for a file that a conversion wrote and that is no shard."""
    return not is_record_file(path) and wrote(path)


def _record_files(pattern: str, sources: Sources, flag: str) -> list[str]:
    """Find the TFRecord files that a pattern stands for; raises ConfigError if there are none."""
    found = files.matching(pattern)
    paths = [path for path in found if is_record_file(path) and not files.is_folder(path)]
    if paths:
        return paths
    if files.is_folder(pattern) or _is_table(pattern):
        raise ConfigError(f'{pattern}: a folder or CSV file is given alone ({flag})')
    if files.exists(pattern) and is_archive(pattern):
        raise ConfigError(f'{pattern}: an archive; unpack it first, and give the folder ({flag})')
    if files.exists(pattern) and any(source_class(sources, name).fits(pattern) for name in sources):
        raise ConfigError(_MUST_BE_CONVERTED.format(pattern))
    raise ConfigError(f'{pattern}: no TFRecord files, CSV file or folder of images ({flag})')


def _own_records(paths: list[str]) -> Manifest | None:
    """Read the manifest beside the files, cut down to them; None where it does not name them all.

    Raises:
      DataError: the files are not whole, by the manifests that there are.
    """
    folders = sorted({os.path.dirname(path) for path in paths})
    manifests = [each for each in map(read_manifest, (name or '.' for name in folders)) if each]
    for manifest in manifests:
        check_whole(manifest)
    if len(folders) > 1 or not manifests:
        return None
    names = {os.path.basename(path) for path in paths}
    shards = tuple(shard for shard in manifests[0].shards if shard.name in names)
    if len(shards) < len(names):
        return None
    part = dataclasses.replace(manifests[0], shards=shards)
    if not part.examples:
        raise DataError(f'{", ".join(paths)}: the shards hold no images')
    return part


def _list_images(
    path: str, sources: Sources, flag: str, table: TableOptions, known: tuple[str, ...]
) -> Listing:
    """List the usable images of a table or folder, of a split for this use if it has any."""
    if files.is_folder(path) and read_manifest(path):
        raise ConfigError(f"{path}: holds converted images: give them as '{path}/*.tfrecord'")
    options = SourceOptions(dataset_dir=path, **vars(table))
    source = find_source(sources, path, options)
    if source == RECORDS and files.is_folder(path):
        deep = any(files.is_folder(files.join(path, name)) for name in files.names_in(path))
        way = f'{path}/{"SPLIT/" * deep}*'
        raise ConfigError(f"{path}: holds TFRecords: give them as '{way}' ({flag})")
    make_source = source_class(sources, source)
    listing = make_source(options, Output('', None), flag, known).listing()
    for remark in listing.remarks:
        print(remark.text, file=sys.stderr)
    check_one_label(listing)
    images = listing.images
    if listing.splits:
        wanted = ('train',) if flag == '--train_metadata' else ('validation', 'test')
        split = next((name for name in wanted if name in listing.splits), None)
        if split is None:
            there = ', '.join(listing.splits)
            raise ConfigError(f'{path}: has no split {" or ".join(wanted)}, only {there} ({flag})')
        images = tuple(image for image in images if image.split == split)
        counts = dataclasses.replace(listing, images=images).label_counts
        empty = [name for name, n in zip(listing.class_names, counts, strict=True) if not n]
        if empty:
            more = f' and {len(empty) - SHOWN} more classes' if len(empty) > SHOWN else ''
            told = f'{split} has no image of {", ".join(empty[:SHOWN])}{more}'
            print(f'warning: {path}: {told}', file=sys.stderr)
    good = tuple(image for image in images if isinstance(image.content, str))
    bad = [image for image in images if isinstance(image.content, Unusable)]
    if len(good) + len(bad) < len(images):
        raise ConfigError(_MUST_BE_CONVERTED.format(path))
    _check_bad(path, bad, len(images), listing.remarks)
    if not good:
        raise DataError(f'{path}: no images')
    # Its last part names the data in metrics.json.
    return dataclasses.replace(listing, images=good, folder=path.rstrip('/') or '/')


def _check_bad(
    path: str, bad: list[LabelledImage], total: int, remarks: tuple[Remark, ...]
) -> None:
    """Say which images are left out.

    Raises:
      DataError: they are too many, or the other files are that count as bad.
    """
    others = sum(remark.bad for remark in remarks)
    if not bad and not others:
        return
    told = [remark.text for remark in remarks if remark.bad]
    if bad:
        reason = bad[0].content.reason if isinstance(bad[0].content, Unusable) else ''
        told.insert(0, f'{bad[0].filename}: {reason}')
    what = 'files' if others else 'images'
    text = f'{path}: {len(bad) + others} of {total + others} {what} cannot be read'
    text += f' ({"; ".join(told)})'
    if (len(bad) + others) / (total + others) > MAX_BAD_FRACTION:
        raise DataError(text)
    print(f'warning: {text}', file=sys.stderr)
