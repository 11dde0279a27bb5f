"""Where a conversion writes, and which files are its own."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from library import files
from library.records.manifest import is_manifest
from library.records.shards import PARTIAL, is_shard_of

REJECTED = '.rejected.csv'
IMAGES = '.images.csv'
DUPLICATES = 'duplicates.csv'

# What `wrote` finds by name alone.
_OWN_NAME = re.compile(
    r'.+-\d{5}-of-\d{5}\.tfrecord(\.partial(\.json(\.partial)?)?)?'
    r'|.+\.(rejected|images)\.csv(\.partial)?'
    r'|(.+\.)?duplicates\.csv(\.partial)?'
    r'|.+\.json\.partial'
)


@dataclass(frozen=True)
class Target:
    """One split: DIR/NAME-00000-of-0000N.tfrecord, DIR/NAME.json and what goes with them."""

    folder: str
    name: str

    def path(self, file_name: str) -> str:
        """The path of one file in the folder."""
        return files.join(self.folder, file_name)

    @property
    def manifest(self) -> str:
        """The path of the manifest."""
        return self.path(f'{self.name}.json')

    @property
    def report(self) -> str:
        """The path of the list of rejected files."""
        return self.path(f'{self.name}{REJECTED}')

    @property
    def images(self) -> str:
        """The path of the list of stored images."""
        return self.path(f'{self.name}{IMAGES}')

    def is_shard(self, file_name: str) -> bool:
        """True for a shard of this split of any count, finished or not, and its note."""
        return is_shard_of(self.name, file_name.removesuffix(PARTIAL).removesuffix('.json'))


@dataclass(frozen=True)
class Output:
    """A whole conversion: one split in the folder itself, or a folder for each split.

    Attributes:
      folder: --tfrecord_dir.
      name: --tfrecord_filename, the one split's name; None is a folder for each split.
      splits: the names that --splits gives; a source may give others.
    """

    folder: str
    name: str | None
    splits: tuple[str, ...] = ()

    def target(self, split: str) -> Target:
        """Where a split goes."""
        if self.name is not None:
            return Target(self.folder, self.name)
        return Target(files.join(self.folder, split), split)

    @property
    def duplicates(self) -> str:
        """The path of the list of pictures that are there more than once."""
        prefix = f'{self.name}.' if self.name is not None else ''
        return files.join(self.folder, f'{prefix}{DUPLICATES}')

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that are written into, as far as they are known before listing."""
        return (self.folder, *(files.join(self.folder, split) for split in self.splits))


def write_list(path: str, pieces: Callable[[], Iterable[bytes]]) -> None:
    """Writes a file unless it holds the same already: a rerun with nothing new leaves it alone.

    Args:
      path: of the file.
      pieces: gives its bytes, piece by piece; called once or twice.

    Raises:
      OSError: the disk is full or may not be written.
    """
    if files.exists(path):
        sha256 = hashlib.sha256()
        for piece in pieces():
            sha256.update(piece)
        if files.digest(path)[1] == sha256.hexdigest():
            return
    files.write_atomically(path, pieces())


def wrote(path: str) -> bool:
    """True for a file that a conversion wrote, whichever; such files are never inputs."""
    name = os.path.basename(path)
    if _OWN_NAME.fullmatch(name):
        return True
    return name.endswith('.json') and is_manifest(path)
