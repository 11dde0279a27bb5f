"""Assign a split to each image of a listing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from library import files
from library.errors import ConfigError, DataError
from library.preparation.group_splits import split_groups
from library.preparation.groups import unit_digests
from library.preparation.image_list import read_digests
from library.preparation.output import Output, old_manifest
from library.preparation.splits import split_by_hash, split_exactly
from library.records.listing import LabelledImage, Listing, is_fold


def assign_splits(
    listing: Listing,
    digests: Sequence[bytes],
    output: Output,
    fractions: Mapping[str, float] | None,
    split_by: str | None,
    *,
    seed: int,
    group_by: str | None = None,
) -> list[LabelledImage]:
    """Give each image its split.

    Args:
      listing: from a source, perhaps with splits of its own.
      digests: of the content of each image.
      output: one split of a name, or a folder for each.
      fractions: of the splits to make; None keeps those of the source.
      split_by: 'hash' or 'exact'; None where there is nothing to make.
      seed: of the split assignment.
      group_by: what the groups of the images were made by; None where they have none.

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
    units = unit_digests(listing.images, digests)
    of_chosen = [units[i] for i in chosen]
    if split_by == 'hash':
        splits = split_by_hash(of_chosen, fractions, seed)
    else:
        stored = _splits_before(output, fractions, seed, group_by)
        before = {units[i]: stored[digests[i]] for i in reversed(chosen) if digests[i] in stored}
        exactly = split_groups if group_by else split_exactly
        labels = [listing.images[i].label for i in chosen]
        splits = exactly(of_chosen, labels, fractions, seed, before)
    images = list(listing.images)
    for i, split in zip(chosen, splits, strict=True):
        images[i] = dataclasses.replace(images[i], split=split)
    found = {image.split for image in images}
    for split in (*fractions, *given):
        # Its folds stand for train.
        if split not in found and not (split == 'train' and split not in fractions):
            flag, way = '--splits', 'give it a larger fraction'
            if is_fold(split):
                flag, way = '--folds', 'make fewer folds'
            other_way = ', or use --split_by exact' if split_by == 'hash' else ''
            count = len(set(of_chosen))
            among = f' ({count} different {"groups" if group_by else "files"})'
            raise DataError(
                f'{flag}: {split} gets none of {len(chosen)} images'
                f'{among if count < len(chosen) else ""}; {way}{other_way}'
            )
    return images


def earlier_split_by(output: Output, fractions: Mapping[str, float]) -> str:
    """Return how an earlier conversion to here made the same splits; 'exact' if there was none."""
    for split in fractions:
        manifest = old_manifest(output.target(split))
        if manifest and manifest.options.get('splits') == dict(fractions):
            return str(manifest.options.get('split_by'))
    return 'exact'


def _check(listing: Listing, output: Output, fractions: Mapping[str, float] | None) -> None:
    given = listing.splits
    if output.name is not None:
        if fractions is not None:
            raise ConfigError(
                '--splits and --folds name the splits: leave out --tfrecord_filename, which names '
                'one'
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
        parts = [name for name in fractions if name == 'train' or is_fold(name)]
        if 'train' not in given or not parts:
            raise ConfigError(
                f'--splits: {listing.folder} has the splits {", ".join(given)}; only its train can '
                f'be divided, and a part of it must be called train'
            )
        twice = [name for name in fractions if name in given and name != 'train']
        if twice:
            raise ConfigError(
                f'--splits: {listing.folder} has a split {twice[0]} of its own: leave out --splits '
                f'or give fractions without {twice[0]}, which divide train alone'
            )


def _splits_before(
    output: Output, fractions: Mapping[str, float], seed: int, group_by: str | None
) -> dict[bytes, str]:
    """Return the splits that an earlier conversion of the same kind to here gave the images.

    Other fractions, groups or seeds, or --split_by hash, mean another split assignment. A manifest
    that is missing was removed by a conversion that was killed when it had assigned splits already.
    """
    wanted = {
        'splits': dict(fractions),
        'split_by': 'exact',
        'random_seed': seed,
        'group_by': group_by,
    }
    before: dict[bytes, str] = {}
    for split in fractions:
        target = output.target(split)
        manifest = old_manifest(target)
        if manifest and any(manifest.options.get(key) != wanted[key] for key in wanted):
            return {}
        if files.exists(target.images):
            before.update(dict.fromkeys(read_digests(target.images), split))
    return before
