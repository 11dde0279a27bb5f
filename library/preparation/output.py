"""Choose where a conversion writes, and recognize its own files."""

from __future__ import annotations

import contextlib
import csv
import fcntl
import hashlib
import io
import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from library import files
from library.errors import DataError, ResourceError
from library.records.feature_manifest import FEATURES_FOLDER
from library.records.manifest import Manifest, from_json, is_manifest
from library.records.shards import PARTIAL, is_shard_of

REJECTED = '.rejected.csv'
IMAGES = '.images.csv'
CONTACT_SHEET = 'altered_images.jpg'
DUPLICATES = 'duplicates.csv'
# The columns of these lists.
HEADERS = {
    REJECTED: ('file', 'reason'),
    IMAGES: ('file', 'class', 'sha256'),
    DUPLICATES: ('sha256', 'split', 'class', 'file'),
}
# Rows to a piece of a list.
ROWS = 1000

# What `wrote` finds by name alone.
_OWN_NAME = re.compile(
    r'.+-\d{5}-of-\d{5}\.tfrecord(\.partial(\.json(\.partial)?)?)?'
    r'|.+\.(rejected|images)\.csv(\.partial)?'
    r'|(.+\.)?duplicates\.csv(\.partial)?'
    r'|(.+\.)?altered_images\.jpg(\.partial)?'
    r'|.+\.json\.partial'
    rf'|{re.escape(FEATURES_FOLDER)}'
)


@dataclass(frozen=True)
class Target:
    """One split: DIR/NAME-00000-of-0000N.tfrecord, DIR/NAME.json and what goes with them."""

    folder: str
    name: str

    def path(self, file_name: str) -> str:
        """Return the path of one file in the folder."""
        return files.join(self.folder, file_name)

    @property
    def manifest(self) -> str:
        """Return the path of the manifest."""
        return self.path(f'{self.name}.json')

    @property
    def report(self) -> str:
        """Return the path of the list of rejected files."""
        return self.path(f'{self.name}{REJECTED}')

    @property
    def images(self) -> str:
        """Return the path of the list of stored images."""
        return self.path(f'{self.name}{IMAGES}')

    def is_shard(self, file_name: str) -> bool:
        """Return True for a shard of this split of any count, finished or not, and its note."""
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
        """Return where a split goes."""
        if self.name is not None:
            return Target(self.folder, self.name)
        return Target(files.join(self.folder, split), split)

    @property
    def duplicates(self) -> str:
        """Return the path of the list of pictures that are there more than once."""
        return self._beside(DUPLICATES)

    @property
    def contact_sheet(self) -> str:
        """Return the path of the page with images that were altered."""
        return self._beside(CONTACT_SHEET)

    def _beside(self, name: str) -> str:
        prefix = f'{self.name}.' if self.name is not None else ''
        return files.join(self.folder, f'{prefix}{name}')

    @property
    def folders(self) -> tuple[str, ...]:
        """Return the folders to write into, as far as they are known before listing."""
        return (self.folder, *(files.join(self.folder, split) for split in self.splits))


def old_manifest(target: Target) -> Manifest | None:
    """Read the manifest of an earlier conversion to the same place, if one is readable."""
    if not files.exists(target.manifest) or not is_manifest(target.manifest):
        return None
    try:
        return from_json(files.read_bytes(target.manifest), target.manifest)
    except DataError:
        return None


@contextlib.contextmanager
def only_conversion(output: Output) -> Iterator[None]:
    """Hold the output folder's lock; the system frees it when the process ends, however it ends.

    Remote folders have no locks.

    Raises:
      ResourceError: another conversion holds it.
    """
    files.make_folder(output.folder)
    if files.is_remote(output.folder):
        yield
        return
    # The folder itself: a file for the lock would stay behind.
    descriptor = os.open(output.folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ResourceError(f'{output.folder}: another conversion writes there now') from None
        yield
    finally:
        os.close(descriptor)


def write_list(path: str, rows: Callable[[], Iterable[Sequence[str]]]) -> None:
    """Write one of the lists beside the shards as CSV; remove it where there are no rows.

    A list that already holds the same is left alone: a rerun with nothing new changes nothing.

    Args:
      path: of the file; its ending says which list it is.
      rows: gives the rows; called several times, so that a long list is never in memory as a whole.

    Raises:
      OSError: the disk is full or may not be written.
    """
    if next(iter(rows()), None) is None:
        if files.exists(path):
            files.remove(path)
        return
    if files.exists(path):
        sha256 = hashlib.sha256()
        for piece in _pieces(_header(path), rows()):
            sha256.update(piece)
        if files.digest(path)[1] == sha256.hexdigest():
            return
    files.write_atomically(path, _pieces(_header(path), rows()))


def is_free_for_list(path: str) -> bool:
    """Return True if no file, or such a list, is there: never overwrite somebody else's."""
    if not files.exists(path):
        return True
    # A FIFO would block for ever.
    if not files.is_remote(path) and not os.path.isfile(path):
        return False
    header = f'{",".join(_header(path))}\n'.encode()
    with files.open_binary(path) as file:
        return bool(file.read(len(header)) == header)


def _header(path: str) -> tuple[str, ...]:
    return next(header for ending, header in HEADERS.items() if path.endswith(ending))


def _pieces(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    text = io.StringIO()
    table = csv.writer(text, lineterminator='\n')
    for number, row in enumerate(itertools.chain([header], rows), 1):
        table.writerow(row)
        if number % ROWS == 0:
            yield text.getvalue().encode('utf-8', 'surrogateescape')
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode('utf-8', 'surrogateescape')


def wrote(path: str) -> bool:
    """Return True for a file that a conversion or a run wrote; such files are no inputs."""
    name = os.path.basename(path)
    if _OWN_NAME.fullmatch(name):
        return True
    return name.endswith('.json') and is_manifest(path)
