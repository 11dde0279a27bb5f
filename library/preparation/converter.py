"""A listing of images to shards and a manifest: all of it, or nothing under a final name."""

from __future__ import annotations

import csv
import io
import os
import random
from collections.abc import Sequence

import tqdm

from library import files
from library.errors import ConfigError, DataError
from library.preparation.images import PreparedImage
from library.preparation.shard_writer import ShardWriter, Target
from library.preparation.sources.source import LabelledFile, Listing
from library.preparation.workers import prepare_all
from library.records.manifest import Manifest, Rejected, is_manifest
from library.records.shards import PARTIAL, is_shard_of, shard_of_item

# A shard of this size is read in one go by object stores and disks alike.
SHARD_BYTES = 100_000_000
# Bytes per pixel of a JPEG of quality 80, to guess the shards' sizes before anything is decoded.
JPEG_BYTES_PER_PIXEL = 0.2


def convert(
    listing: Listing,
    target: Target,
    *,
    max_edge: int,
    quality: int = 80,
    num_shards: int | None = None,
    random_seed: int = 0,
    workers: int | None = None,
    max_bad_fraction: float = 0.1,
) -> Manifest:
    """Writes shards and manifest; the same bytes for the same images, seed and options.

    Args:
      listing: the images, from a source.
      target: folder and name. Files of an earlier conversion are replaced at the very end.
      max_edge, quality: as for `prepare_image`.
      num_shards: None plans shards of about 100 MB, at least two.
      random_seed: of the order of the records.
      workers: processes; None is one for each core.
      max_bad_fraction: more rejected files than this share end in DataError.

    Returns:
      The manifest as written.

    Raises:
      ConfigError: somebody else's file stands where the manifest goes.
      DataError: too many bad images, or none good; the report is kept, nothing else is written.
      ResourceError: a worker died. OSError: the disk is full or may not be written.
    """
    if files.exists(target.manifest) and not is_manifest(target.manifest):
        raise ConfigError(
            f'{target.manifest}: not of a conversion; choose another --tfrecord_filename'
        )
    images = list(listing.images)
    random.Random(random_seed).shuffle(images)
    count = num_shards or _plan_shards(images, max_edge)
    files.make_folder(target.folder)
    _remove_partial(target)
    writer = ShardWriter(target, listing.class_names, count)
    rejected = list(listing.rejected)
    reencoded = 0
    try:
        outcomes = prepare_all(images, workers or os.cpu_count() or 1, max_edge, quality)
        # disable=None: no bar where nobody looks (a log file).
        bar = tqdm.tqdm(outcomes, total=len(images), unit='image', disable=None)
        for item, (image, outcome) in enumerate(bar):
            if isinstance(outcome, PreparedImage):
                writer.write(shard_of_item(item, len(images), count), image, outcome)
                reencoded += outcome.reencoded
            else:
                rejected.append(Rejected(image.filename, str(outcome)))
        rejected.sort(key=lambda each: each.file)
        shards = writer.close()
        _report(target, rejected)
        _check_budget(target, len(rejected), len(images) + len(listing.rejected), max_bad_fraction)
        _check_classes(target, writer.examples_per_class)
    except BaseException:
        writer.abandon()
        _remove_partial(target)
        raise
    manifest = Manifest(
        class_names=listing.class_names,
        examples_per_class=writer.examples_per_class,
        shards=shards,
        options={'max_edge': max_edge, 'quality': quality, 'random_seed': random_seed},
        reencoded=reencoded,
        rejected=tuple(rejected),
        ignored=listing.ignored,
        folder=target.folder,
    )
    _publish(target, manifest)
    return manifest


def _plan_shards(images: Sequence[LabelledFile], max_edge: int) -> int:
    """A number of shards that follows from the listing alone."""
    largest = JPEG_BYTES_PER_PIXEL * max_edge * max_edge
    expected = sum(min(image.size, largest) for image in images)
    return max(1, min(len(images), max(2, round(expected / SHARD_BYTES))))


def _report(target: Target, rejected: Sequence[Rejected]) -> None:
    """Writes the list of rejected files, or removes an older one if all are good."""
    if not rejected:
        if files.exists(target.report):
            files.remove(target.report)
        return
    text = io.StringIO()
    table = csv.writer(text, lineterminator='\n')
    table.writerow(('file', 'reason'))
    table.writerows((each.file, each.reason) for each in rejected)
    files.write_atomically(target.report, text.getvalue().encode('utf-8', 'surrogateescape'))


def _check_budget(target: Target, bad: int, total: int, max_bad_fraction: float) -> None:
    if bad == total:
        raise DataError(f'none of the {total} images is good; see {target.report}')
    # Not bad > fraction * total: 0.29 * 100 is 28.999999999999996.
    if bad / total > max_bad_fraction:
        raise DataError(
            f'{bad} of {total} images are bad, more than --max_bad_fraction {max_bad_fraction}; '
            f'see {target.report}'
        )


def _check_classes(target: Target, examples_per_class: dict[str, int]) -> None:
    for name, examples in examples_per_class.items():
        if not examples:
            raise DataError(f'class {name!r} has no good image; see {target.report}')


def _publish(target: Target, manifest: Manifest) -> None:
    """Gives the shards their final names; the manifest goes first and comes last.

    So a kill in between leaves a folder without a manifest, which training refuses.
    """
    if files.exists(target.manifest):
        files.remove(target.manifest)
    names = [shard.name for shard in manifest.shards]
    for name in names:
        files.replace(target.path(name + PARTIAL), target.path(name))
    for name in files.names_in(target.folder):
        if is_shard_of(target.name, name) and name not in names:
            files.remove(target.path(name))
    files.write_atomically(target.manifest, manifest.to_json().encode())


def _remove_partial(target: Target) -> None:
    for name in files.names_in(target.folder):
        if target.owns(name) and name.endswith(PARTIAL):
            files.remove(target.path(name))
