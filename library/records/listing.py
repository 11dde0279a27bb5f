"""Describe labelled images before they are records: what every source of images gives.

Imports no TensorFlow.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from library import files
from library.errors import DataError

if TYPE_CHECKING:
    import numpy as np

# What people call the three splits, to what they are called here.
SPLIT_NAMES = {
    'train': 'train',
    'training': 'train',
    'validation': 'validation',
    'valid': 'validation',
    'val': 'validation',
    'dev': 'validation',
    'eval': 'validation',
    'evaluation': 'validation',
    'test': 'test',
    'testing': 'test',
}
# Where a split may be named, it stands for validation, or else test; no split is called so.
AUTO = 'auto'
# What the folds of a cross-validation are called, each with its number from 1 behind.
FOLD = 'fold'


class Split(Protocol):
    """What a run needs to know of the images that it reads, whatever their source."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Return the class names in the order of their labels."""

    @property
    def examples(self) -> int:
        """Count the images."""

    @property
    def label_counts(self) -> tuple[int, ...]:
        """Count the images of each class, in the order of labels; () where nobody counted."""

    @property
    def folder(self) -> str:
        """Name where the images come from, for messages."""


@dataclass(frozen=True)
class Unusable:
    """An image that cannot even be looked at, and why; it is reported like a damaged one."""

    reason: str


@dataclass(frozen=True)
class Part:
    """A file that lies whole within another, such as a tar: where it starts, and its size."""

    path: str
    start: int
    size: int

    def read(self) -> bytes:
        """Read it; raises OSError."""
        with files.open_binary(self.path) as file:
            file.seek(self.start)
            return bytes(file.read(self.size))


# A path, local or remote; a part of such a file; a whole file's bytes; uint8 pixels [height, width]
# or [height, width, 3].
Content: TypeAlias = 'str | Part | bytes | np.ndarray | Unusable'


def read_content(content: str | Part | bytes) -> bytes:
    """Read the whole file of an image; raises OSError."""
    if isinstance(content, str):
        return files.read_bytes(content)
    return content.read() if isinstance(content, Part) else content


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """One image.

    Attributes:
      filename: its name in the records, with '/' between folders, below the data set's folder.
      label: index into the listing's class names.
      content: the path of its file, a part of a file, its bytes, its pixels, or why it has none.
      size: in bytes, to plan the shards.
      split: 'train', 'validation' ... where the source says so, otherwise ''.
      group: images of one group share a split; '' is an image alone.
    """

    filename: str
    label: int
    content: Content
    size: int
    split: str = ''
    group: str = ''


def is_split_name(name: str) -> bool:
    """Return True for what can name a folder: no separator, no control character, no dot first.

    The name AUTO is no split's either.
    """
    return name not in ('', AUTO) and not re.search(r'^\.|[/\\\x00-\x1f\x7f]', name)


def is_fold(name: str) -> bool:
    """Return True for the name of a split that is a fold of a cross-validation."""
    return re.fullmatch(rf'{FOLD}[1-9][0-9]*', name) is not None


def usual_order(splits: Iterable[str]) -> tuple[str, ...]:
    """Sort train, validation and test first, then others by name, and folds by their numbers."""
    known = tuple(dict.fromkeys(SPLIT_NAMES.values()))
    found = set(splits)

    def by_number(name: str) -> tuple[str, int]:
        return (FOLD, int(name.removeprefix(FOLD))) if is_fold(name) else (name, 0)

    others = sorted(found.difference(known), key=by_number)
    return (*(name for name in known if name in found), *others)


@dataclass(frozen=True)
class Remark:
    """A line for a person on how the source was read, and how many bad images it stands for."""

    text: str
    bad: int = 0


@dataclass(frozen=True)
class Listing:
    """What a source found; the same for the same files, in whatever order a disk lists them.

    Attributes:
      class_names: in the order of their labels.
      images: all of them, the unusable ones too.
      ignored: names of files that are not images of any class.
      folder: what the source read, for messages.
      remarks: how it was read, and what was left out.
      max_edge, quality: how the images that the run trains on are stored, where these are read
        without a conversion; None keeps their size.
      pictures, max_pixels: what the pixels mean, by option, and how many an image may count for,
        where they are read without a conversion.
    """

    class_names: tuple[str, ...]
    images: tuple[LabelledImage, ...]
    ignored: tuple[str, ...] = ()
    folder: str = ''
    remarks: tuple[Remark, ...] = ()
    max_edge: int | None = None
    quality: int | None = None
    pictures: Mapping[str, Any] | None = None
    max_pixels: int | None = None

    @property
    def examples(self) -> int:
        """Count the images."""
        return len(self.images)

    @property
    def label_counts(self) -> tuple[int, ...]:
        """Count the images of each class."""
        counts = Counter(image.label for image in self.images)
        return tuple(counts[label] for label in range(len(self.class_names)))

    @property
    def splits(self) -> tuple[str, ...]:
        """Return the names of the splits that the source gives; () where it gives none."""
        return usual_order({image.split for image in self.images} - {''})


def check_listing(listing: Listing) -> None:
    """Raise DataError for a listing that cannot be converted correctly."""
    names, where = listing.class_names, listing.folder
    if not listing.images:
        raise DataError(f'{where}: no images')
    for name, times in Counter(names).items():
        if times > 1 or not name or '\n' in name:
            raise DataError(f'{where}: {name!r} cannot be the name of a class, or is one twice')
    for image in listing.images:
        if not 0 <= image.label < len(names):
            raise DataError(
                f'{where}: {image.filename} has the label {image.label}, but there are '
                f'{len(names)} classes'
            )
        if image.split and not is_split_name(image.split):
            raise DataError(f'{where}: {image.split!r} cannot be the name of a split')
    check_one_label(listing)
    count = Counter(image.filename for image in listing.images)
    twice = sorted(name for name, times in count.items() if times > 1)
    if twice:
        more = f' and {len(twice) - 1} more' if len(twice) > 1 else ''
        raise DataError(f'{where}: {twice[0]}{more} listed twice')


def check_one_label(listing: Listing) -> None:
    """Raise DataError for an image that is listed under two classes."""
    labels: dict[str, int] = {}
    for image in listing.images:
        before = labels.setdefault(image.filename, image.label)
        if before != image.label:
            names = listing.class_names
            raise DataError(
                f'{listing.folder}: {image.filename} is listed as {names[before]!r} and as '
                f'{names[image.label]!r}: each picture has one class here'
            )
