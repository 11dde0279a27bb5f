"""Read the images that a CSV file lists; classes are not needed, and not read."""

from __future__ import annotations

import os
from collections.abc import Iterator

from library import files
from library.errors import DataError
from library.preparation.sources.columns import PATH_COLUMNS, known_column, missing
from library.preparation.sources.csv_file import EVERY_NAME
from library.preparation.sources.csv_table import header_and_rows
from library.preparation.sources.entries import look
from library.records.listing import Content, Unusable


def listed_images(path: str) -> Iterator[tuple[str, Content]]:
    """Read the header of a list at once, and its rows as they are asked for.

    Paths start at the file's own folder. They may lead anywhere: nothing but the prediction tells
    what is there.

    Returns:
      (path, content) of each row; an error of the file itself is the last one.

    Raises:
      ConfigError: there is no column of paths.
      DataError: the header cannot be read.
    """
    header, rows = header_and_rows(path, files.read_bytes(path), EVERY_NAME)
    column = known_column(path, header, PATH_COLUMNS, flag='')
    if column is None:
        raise missing(path, header, "'path', 'filename' or 'image'")

    def images() -> Iterator[tuple[str, Content]]:
        try:
            for number, cells in rows:
                name = cells[column].strip() if column < len(cells) else ''
                if any(cell.strip() for cell in cells[len(header) :]):
                    reason = f'{len(cells)} cells below {len(header)} columns'
                    yield name or path, Unusable(f'row {number}: {reason}')
                elif not name:
                    yield path, Unusable(f'row {number}: no path')
                else:
                    yield _image(number, name, os.path.dirname(path))
        except DataError as error:
            yield path, Unusable(str(error).removeprefix(f'{path}: '))

    return images()


def _image(number: int, name: str, folder: str) -> tuple[str, Content]:
    if files.is_remote(name) and name.split('://')[0] not in files.SCHEMES:
        return name, Unusable(f'row {number}: a URL, not a file (download the images first)')
    folder = '' if files.is_remote(name) else folder
    path = files.join(folder, name)
    # A backslash separates, as on Windows, unless it is part of the name.
    if '\\' in name and (files.is_remote(path) or not os.path.lexists(path)):
        path = files.join(folder, name.replace('\\', '/'))
    if files.is_remote(path):
        return path, path
    entry = look(path, follow_symlinks=True)
    return path, path if entry.kind == 'image' else Unusable(f'row {number}: {entry.reason}')
