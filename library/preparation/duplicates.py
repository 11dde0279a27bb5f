"""Find images that are there more than once, by their content, whatever their names."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from library import files
from library.errors import DataError
from library.preparation.encoding_options import EncodingOptions
from library.preparation.formats import RejectedImage
from library.preparation.image_list import read_digests
from library.preparation.output import IMAGES, Output, Target, write_list
from library.preparation.workers import prepare
from library.records.listing import LabelledImage, Unusable
from library.records.manifest import Rejected

# The order in which one of several equal pictures is kept: a test set stays what it is.
KEEP_FIRST = ('test', 'validation', 'train')

# What to do about a picture under two labels, and about others.
ONE_CLASS = (
    'each picture has one class here: take it out of the others, or leave it out by '
    '--duplicates drop'
)
REPORT = '--duplicates report or drop goes on'

# How the reason of a dropped image starts; such images do not count as bad.
DROPPED = 'dropped: the same picture as'


@dataclass(frozen=True)
class Group:
    """Images of equal content, in the order of their names."""

    digest: bytes
    images: tuple[LabelledImage, ...]

    @property
    def conflicts(self) -> bool:
        """Return True if the same picture has two labels."""
        return len({image.label for image in self.images}) > 1

    @property
    def leaks(self) -> bool:
        """Return True if the same picture is in two splits."""
        return len({image.split for image in self.images}) > 1


def find_duplicates(
    images: Sequence[LabelledImage], digests: Sequence[bytes], encoding: EncodingOptions
) -> list[Group]:
    """Find the pictures that are there more than once, sorted by the first name.

    Files that are equal but no pictures, such as empty ones, are not meant: each is reported as
    bad, and says nothing about labels.
    """
    by_digest: defaultdict[bytes, list[LabelledImage]] = defaultdict(list)
    for image, digest in zip(images, digests, strict=True):
        by_digest[digest].append(image)
    groups = [
        Group(digest, tuple(found))
        for digest, found in by_digest.items()
        if len(found) > 1 and not isinstance(prepare(found[0].content, encoding), RejectedImage)
    ]
    return sorted(groups, key=lambda group: group.images[0].filename)


def resolve_duplicates(
    images: Sequence[LabelledImage], groups: Sequence[Group], rule: str | None, listed_in: str
) -> list[LabelledImage]:
    """Decide what becomes of the images under a rule of --duplicates.

    Args:
      images: all images, with their splits.
      groups: of `find_duplicates`.
      rule: 'report' leaves them; 'drop' makes all but one unusable, and all of a picture under
        two labels; 'error' stops; None stops for two labels only.
      listed_in: the path of the list of all, for messages.

    Returns:
      The images in the same order, dropped ones as `Unusable`.

    Raises:
      DataError: the rule does not allow what was found.
    """
    forbidden = [g for g in groups if rule == 'error' or (rule is None and g.conflicts)]
    if forbidden:
        first = forbidden[0].images
        conflicts = forbidden[0].conflicts
        under = ' under two labels' if conflicts else ''
        more = f', and {len(forbidden) - 1} more such pictures' if len(forbidden) > 1 else ''
        raise DataError(
            f'the same picture{under}: {first[0].filename} and {_other(first).filename}{more}; see '
            f'{listed_in} ({ONE_CLASS if conflicts else REPORT})'
        )
    if rule != 'drop':
        return list(images)
    dropped: dict[int, str] = {}
    for group in groups:
        ranked = sorted(group.images, key=lambda image: (_rank(image.split), image.filename))
        for image in ranked if group.conflicts else ranked[1:]:
            other = next(each for each in ranked if each is not image)
            under = ' under another label' if group.conflicts else ''
            dropped[id(image)] = f'{DROPPED} {other.filename}{under}'
    return [
        dataclasses.replace(image, content=Unusable(dropped[id(image)]), size=0)
        if id(image) in dropped
        else image
        for image in images
    ]


def is_dropped(rejected: Rejected) -> bool:
    """Return True for an image that is left out as a duplicate, and is not itself bad."""
    return rejected.reason.startswith(DROPPED)


def write_duplicates(output: Output, groups: Sequence[Group], class_names: Sequence[str]) -> None:
    """List the duplicates in a CSV file, equal pictures side by side; no file if there are none.

    Raises:
      OSError: the disk is full or may not be written.
    """

    def rows() -> Iterator[Sequence[str]]:
        for group in groups:
            for image in group.images:
                yield group.digest.hex(), image.split, class_names[image.label], image.filename

    write_list(output.duplicates, rows)


def shared_with_neighbours(target: Target, digests: Sequence[bytes]) -> dict[str, int]:
    """Map each folder beside the target's to the number of these images that it holds too.

    Data sets that were converted one by one are neighbours, as dataset/train and dataset/test are.
    """
    folder = target.folder if files.is_remote(target.folder) else os.path.abspath(target.folder)
    above, own_name = os.path.split(folder.rstrip('/'))
    own = set(digests)
    shared: dict[str, int] = {}
    try:
        names = files.names_in(above)
    # The folder above may be unreadable; the conversion is done, and this is only a hint.
    except OSError:
        return shared
    for beside in (files.join(above, name) for name in names if name != own_name):
        with contextlib.suppress(OSError):
            lists = [name for name in files.names_in(beside) if name.endswith(IMAGES)]
            theirs = (each for name in lists for each in read_digests(files.join(beside, name)))
            count = len(own.intersection(theirs))
            if count:
                shared[beside] = count
    return shared


def _other(images: Sequence[LabelledImage]) -> LabelledImage:
    """Choose an image to show beside the first: of another label if there is one."""
    return next((each for each in images if each.label != images[0].label), images[1])


def _rank(split: str) -> int:
    return KEEP_FIRST.index(split) if split in KEEP_FIRST else len(KEEP_FIRST)
