"""A CSV file to the images that it lists; classes are not needed, and not read."""

from __future__ import annotations

import os
from collections.abc import Iterator

from library import files
from library.errors import ConfigError, DataError
from library.preparation.sources.csv_file import header_and_rows
from library.preparation.sources.entries import look
from library.records.listing import Content, Unusable

# What the column of paths may be called, in any case; the first that is there counts.
COLUMNS = ('path', 'file', 'filename', 'image')


class ListedImages:
    """The rows of one file: iterate over it for names and contents.

    Paths start at the file's own folder. They may lead anywhere: nothing but the prediction tells
    what is there.
    """

    def __init__(self, path: str):
        """Reads the header.

        Raises:
          ConfigError: there is no column of paths.
          DataError: the header cannot be read.
        """
        self._path = path
        data = files.read_bytes(path)
        for wanted in COLUMNS:
            header, self._rows = header_and_rows(path, data, wanted)
            lowered = [name.lower() for name in header]
            if wanted in lowered:
                self._column, self._width = lowered.index(wanted), len(header)
                return
        columns = ', '.join(repr(name[:40]) for name in header[:12])
        names = ' or '.join([', '.join(COLUMNS[:-1]), COLUMNS[-1]])
        raise ConfigError(f'{path}: no column {names}; its columns are {columns}')

    def __iter__(self) -> Iterator[tuple[str, Content]]:
        """Yields (path, content) of each row; an error of the file itself is the last row."""
        try:
            for number, cells in self._rows:
                yield self._image(number, cells)
        except DataError as error:
            yield self._path, Unusable(str(error).removeprefix(f'{self._path}: '))

    def _image(self, number: int, cells: list[str]) -> tuple[str, Content]:
        extra = any(cell.strip() for cell in cells[self._width :])
        name = cells[self._column].strip() if self._column < len(cells) else ''
        if extra or not name:
            reason = f'{len(cells)} cells below {self._width} columns' if extra else 'no path'
            return name or self._path, Unusable(f'row {number}: {reason}')
        if files.is_remote(name) and name.split('://')[0] not in files.SCHEMES:
            return name, Unusable(f'row {number}: a URL, not a file (download the images first)')
        path = self._place(name)
        if files.is_remote(path):
            return path, path
        entry = look(path, follow_symlinks=True)
        if entry.kind == 'image':
            return path, path
        return path, Unusable(f'row {number}: {entry.reason}')

    def _place(self, name: str) -> str:
        """Where a name leads; a backslash separates, as on Windows, unless it is part of it."""
        folder = os.path.dirname(self._path)
        path = name if files.is_remote(name) else files.join(folder, name)
        if '\\' not in name or (not files.is_remote(path) and os.path.lexists(path)):
            return path
        return files.join(folder, name.replace('\\', '/'))
