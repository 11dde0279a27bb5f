"""Look at what a path is, without opening it: a FIFO would block for ever."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass

from library import files


@dataclass(frozen=True)
class Entry:
    """A name in a folder: kind is 'folder', 'image' (a regular file), or why it is neither."""

    path: str
    kind: str
    size: int = 0

    @property
    def reason(self) -> str:
        """Say why an image's name stands for none."""
        return 'a folder, not an image' if self.kind == 'folder' else self.kind


def look(path: str, follow_symlinks: bool) -> Entry:
    """Look at what has a name, with its size in bytes if it is a file."""
    if files.is_remote(path):
        if files.is_folder(path):
            return Entry(path, 'folder')
        return Entry(path, 'image', files.size(path))
    try:
        status = os.stat(path, follow_symlinks=follow_symlinks)
    except OSError as error:
        return Entry(path, (error.strerror or str(error)).lower())
    if stat.S_ISLNK(status.st_mode):
        return Entry(path, 'symbolic link (see --follow_symlinks)')
    if stat.S_ISDIR(status.st_mode):
        return Entry(path, 'folder')
    if not stat.S_ISREG(status.st_mode):
        return Entry(path, 'not a regular file')
    return Entry(path, 'image', status.st_size)


def short_names(paths: Iterable[str]) -> dict[str, str]:
    """Name each file by its path below the folder that holds all of them."""
    parts = {path: path.split('/') for path in paths}
    depth = 0
    while len({tuple(each[: depth + 1]) for each in parts.values()}) == 1 and all(
        len(each) > depth + 1 for each in parts.values()
    ):
        depth += 1
    return {path: '/'.join(each[depth:]) for path, each in parts.items()}
