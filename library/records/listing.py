"""Labelled images before they are records: what every source of images gives.

Imports no TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

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
    'test': 'test',
    'testing': 'test',
}


class Split(Protocol):
    """What a run needs to know of the images that it reads, whatever they are read from."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """In the order of their labels."""

    @property
    def examples(self) -> int:
        """How many images there are."""

    @property
    def folder(self) -> str:
        """Where they come from, for messages."""


@dataclass(frozen=True)
class Unusable:
    """An image that cannot even be looked at, and why; it is reported like a damaged one."""

    reason: str


# A path, local or remote; a whole file's bytes; uint8 pixels [height, width] or [height, width, 3].
Content: TypeAlias = 'str | bytes | np.ndarray | Unusable'


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """One image.

    Attributes:
      filename: its name in the records, with '/' between folders, below the data set's folder.
      label: index into the listing's class names.
      content: the path of its file, the file's bytes, its pixels, or why it has none.
      size: in bytes, to plan the shards.
      split: 'train', 'validation' ... where the source says so, else ''.
    """

    filename: str
    label: int
    content: Content
    size: int
    split: str = ''


@dataclass(frozen=True)
class Listing:
    """What a source found; the same for the same files, in whatever order a disk lists them.

    Attributes:
      class_names: in the order of their labels.
      images: all of them, the unusable ones too.
      ignored: names of files that are not images of any class.
      folder: what the source read, for messages.
    """

    class_names: tuple[str, ...]
    images: tuple[LabelledImage, ...]
    ignored: tuple[str, ...] = ()
    folder: str = ''

    @property
    def examples(self) -> int:
        """How many images there are."""
        return len(self.images)

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits that the source gives; () where it gives none."""
        found = {image.split for image in self.images} - {''}
        known = tuple(dict.fromkeys(SPLIT_NAMES.values()))
        return (*(n for n in known if n in found), *sorted(found - set(known)))
