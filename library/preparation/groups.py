"""Find images that belong together, such as all of one patient: they must share a split.

A model that has seen one picture of a burst knows the others: a test set that holds them measures
memory.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from library.errors import ConfigError, DataError
from library.preparation.sources.split_words import splits_of_paths
from library.records.listing import LabelledImage, Listing

# What Roboflow appends to the name of each copy that it augments.
_COPY = re.compile(r'\.rf\.[0-9a-zA-Z]{8,}$')
# A counter behind a name, as bursts, frames and tiles have it: p01_03, scan-7 (2).
_COUNTER = re.compile(r'[ _.-]*\(?\d+\)?$')
# All that one camera took on a day is no series: IMG_20240131_120000, 2024-01-31_001.
_DAY = re.compile(r'(19|20)\d\d([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)')
# Fewer stems are names of cameras, years or parts of the data set.
MIN_STEMS = 5


def group_by_name(listing: Listing, pattern: str) -> Listing:
    """Group the images of a listing by their paths.

    Args:
      listing: of a source.
      pattern: regular expression, searched in each path below the data set's folder; images with
        the same text in its groups (without any: in the whole match) belong together.

    Raises:
      ConfigError: the pattern is no regular expression, or finds nothing in any path.
      DataError: it finds something in some paths only; the message names one of the others.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise ConfigError(f'--group_by {pattern}: not a regular expression ({error})') from None
    images = tuple(
        dataclasses.replace(image, group=_group(expression.search(image.filename)))
        for image in listing.images
    )
    # A group that took part in no match, or an empty text, is nothing to have in common.
    missing = [image.filename for image in images if not image.group]
    if len(missing) == len(images):
        raise ConfigError(f'--group_by {pattern}: finds nothing in any path, such as {missing[0]}')
    if missing:
        raise DataError(
            f'--group_by {pattern}: finds nothing in {len(missing)} of {len(images)} paths, such '
            f'as {missing[0]}'
        )
    return dataclasses.replace(listing, images=images)


def _group(match: re.Match[str] | None) -> str:
    """Return what a path's group is called: '' where the pattern finds nothing in it."""
    if not match:
        return ''
    texts = [each or '' for each in match.groups()] or [match[0]]
    # No path holds this letter.
    return '\0'.join(texts) if any(texts) else ''


def unit_digests(images: Sequence[LabelledImage], digests: Sequence[bytes]) -> list[bytes]:
    """Find what must share a split: equal pictures, and images of one group.

    Args:
      images: with their groups.
      digests: sha256 of each image's content.

    Returns:
      A digest for each image, equal for those that belong together, over equal pictures in two
      groups as well. That of an image alone is its own.
    """
    own = [
        hashlib.sha256(b'group\0' + os.fsencode(image.group)).digest() if image.group else digest
        for image, digest in zip(images, digests, strict=True)
    ]
    above: dict[bytes, bytes] = {}

    def top(each: bytes) -> bytes:
        while above.setdefault(each, each) != each:
            above[each] = each = above[above[each]]
        return each

    for group, digest in zip(own, digests, strict=True):
        one, other = sorted((top(group), top(digest)))
        above[other] = one
    # Named after groups, of which pictures come and go.
    names: dict[bytes, bytes] = {}
    for group in own:
        names[top(group)] = min(group, names.get(top(group), group))
    return [names[top(group)] for group in own]


def splits_of_groups(images: Sequence[LabelledImage]) -> dict[str, set[str]]:
    """Find the splits that each group is in: more than one where the data set came divided."""
    splits: defaultdict[str, set[str]] = defaultdict(set)
    for image in images:
        if image.group:
            splits[image.group].add(image.split)
    return dict(splits)


def find_series(images: Sequence[LabelledImage]) -> list[str]:
    """Find names that look like one series, such as a burst, and lie in two splits.

    Args:
      images: with their splits.

    Returns:
      The stems of such names, without folders of splits, sorted: of copies that Roboflow made, and
      of names with a counter where most images of the data set are of such a series.
    """
    copies: defaultdict[str, list[LabelledImage]] = defaultdict(list)
    counted: defaultdict[str, list[LabelledImage]] = defaultdict(list)
    splits = splits_of_paths(image.filename for image in images)
    for image in images:
        name = os.path.splitext(splits.without(image.filename))[0]
        if (stem := _COPY.sub('', name)) != name:
            copies[stem].append(image)
        if (stem := _COUNTER.sub('', name)) != name:
            counted[stem].append(image)
    sizes = Counter(image.label for image in images)
    series = {stem: found for stem, found in counted.items() if _is_series(stem, found, sizes)}
    # A camera's name stands again in the folder of each class.
    kinds = {_own_part(stem) for stem in series}
    if len(kinds) < MIN_STEMS or 2 * sum(map(len, series.values())) <= len(images):
        series = {}
    return sorted(
        stem
        for stem, found in (copies | series).items()
        if len({image.split for image in found}) > 1
    )


def _is_series(stem: str, images: Sequence[LabelledImage], sizes: Mapping[int, int]) -> bool:
    """Return True for images that a patient, a scene or a video may have in common.

    Args:
      stem: of their names.
      images: with names of this stem.
      sizes: how many images each class has.
    """
    labels = {image.label for image in images}
    # What half a class is called is the class; what a folder of several classes holds is a part.
    is_class = len(labels) == 1 and 2 * len(images) > sizes[images[0].label]
    is_part = len(labels) > 1 and not _has_number(os.path.basename(stem))
    return len(images) > 1 and _has_number(_own_part(stem)) and not is_class and not is_part


def _own_part(stem: str) -> str:
    """Return the last part of a stem that has a number, of its folder if need be."""
    folder, name = os.path.split(stem)
    return name if _has_number(name) else f'{os.path.basename(folder)}/{name}'


def _has_number(name: str) -> bool:
    """Return True for a number that is no date: other stems name no patient and no scene."""
    return re.search(r'\d', _DAY.sub('', name)) is not None
