"""What every source gives: class names, and image files with their labels."""

from __future__ import annotations

from dataclasses import dataclass

from library.records.manifest import Rejected


@dataclass(frozen=True)
class LabelledFile:
    """One image file.

    Attributes:
      path: where to read it.
      filename: its name in the records, with '/' between folders, below the data set's folder.
      label: index into the class names.
      size: in bytes, to plan the shards.
    """

    path: str
    filename: str
    label: int
    size: int


@dataclass(frozen=True)
class Listing:
    """What a source found; the same for the same files, in whatever order a disk lists them."""

    class_names: tuple[str, ...]
    images: tuple[LabelledFile, ...]
    rejected: tuple[Rejected, ...]
    ignored: tuple[str, ...]
