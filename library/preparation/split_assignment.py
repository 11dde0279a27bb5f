"""Assign a split to each image of a listing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from library import files
from library.errors import ConfigError, DataError
from library.preparation.image_list import read_digests
from library.preparation.output import Output, old_manifest
from library.preparation.splits import split_by_hash, split_exactly
from library.records.listing import LabelledImage, Listing


def assign_splits(
    listing: Listing,
    digests: Sequence[bytes],
    output: Output,
    *,
    fractions: Mapping[str, float] | None,
    split_by: str,
    seed: int,
) -> list[LabelledImage]:
    """Gives each image its split.

    Args:
      listing: from a source, perhaps with splits of its own.
      digests: of the content of each image.
      output: one split of a name, or a folder for each.
      fractions: of the splits to make; None keeps those of the source.
      split_by: 'hash' or 'exact'.
      seed: of the split assignment.

    Returns:
      The images in the same order, with `split` set.

    Raises:
      ConfigError: the options leave open where an image goes, or say it twice.
      DataError: a split gets no image.
    """
    given = listing.splits
    _check(listing, output, fractions)
    if output.name is not None:
        return [dataclasses.replace(image, split=output.name) for image in listing.images]
    if fractions is None:
        return list(listing.images)
    # Where the source has splits of its own, its training images are divided and no others.
    chosen = [i for i, image in enumerate(listing.images) if image.split in ('', 'train')]
    if split_by == 'hash':
        splits = split_by_hash([digests[i] for i in chosen], fractions, seed)
    else:
        labels = [listing.images[i].label for i in chosen]
        before = _splits_before(output, fractions, seed)
        splits = split_exactly([digests[i] for i in chosen], labels, fractions, seed, before)
    images = list(listing.images)
    for i, split in zip(chosen, splits, strict=True):
        images[i] = dataclasses.replace(images[i], split=split)
    found = {image.split for image in images}
    for split in (*fractions, *given):
        if split not in found:
            other_way = ', or use --split_by exact' if split_by == 'hash' else ''
            raise DataError(
                f'--splits: {split} gets none of {len(chosen)} images; give it a larger share'
                f'{other_way}'
            )
    return images


def _check(listing: Listing, output: Output, fractions: Mapping[str, float] | None) -> None:
    given = listing.splits
    if output.name is not None:
        if fractions is not None:
            raise ConfigError(
                '--splits names the splits: leave out --tfrecord_filename, which names one'
            )
        if given:
            raise ConfigError(
                f'{listing.folder}: has the splits {", ".join(given)}, so leave out '
                f'--tfrecord_filename: each is named after itself'
            )
    elif fractions is None:
        if not given:
            raise ConfigError(
                f'{listing.folder}: has no splits of its own: give its name as --tfrecord_filename '
                f'(such as train), or divide it with --splits'
            )
        if any(not image.split for image in listing.images):
            raise DataError(f'{listing.folder}: some images have a split and some have none')
    elif given:
        if 'train' not in given or 'train' not in fractions:
            raise ConfigError(
                f'--splits: {listing.folder} has the splits {", ".join(given)}; only its train can '
                f'be divided, and a part of it must be called train'
            )
        twice = [name for name in fractions if name in given and name != 'train']
        if twice:
            raise ConfigError(
                f'--splits: {listing.folder} has a split {twice[0]} of its own; leave out --splits'
            )


def _splits_before(output: Output, fractions: Mapping[str, float], seed: int) -> dict[bytes, str]:
    """The split of each image that an earlier conversion of the same kind to here stored.

    Other fractions, another seed or --split_by hash mean another split assignment. A manifest that
    is missing was removed by a conversion that was killed when it had assigned splits already.
    """
    wanted = {'splits': dict(fractions), 'split_by': 'exact', 'random_seed': seed}
    before: dict[bytes, str] = {}
    for split in fractions:
        target = output.target(split)
        manifest = old_manifest(target)
        if manifest and any(manifest.options.get(key) != wanted[key] for key in wanted):
            return {}
        if files.exists(target.images):
            before.update(dict.fromkeys(read_digests(target.images), split))
    return before
