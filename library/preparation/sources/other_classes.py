"""Find a table beside class folders that puts the same images into other classes.

Its columns say what is meant: the folders then may be the parts of a download.
"""

from __future__ import annotations

import os
import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from library import files
from library.errors import ConfigError, DataError
from library.preparation.options import TableOptions
from library.preparation.sources.columns import find_columns
from library.preparation.sources.csv_file import EVERY_NAME
from library.preparation.sources.csv_table import header_and_rows

# Larger tables are none that a person would look at.
LARGEST = 100_000_000
# This part of the images has to be in the table, or it is about others.
MOST = 0.5


def contradicting(
    tables: Iterable[str], class_of: Mapping[str, str]
) -> Iterator[tuple[str, list[str]]]:
    """Yield each table whose classes cut across the folders, with its classes, sorted.

    A table whose classes are those of the folders under other names, or are finer or coarser, says
    nothing against them.

    Args:
      tables: paths of CSV files.
      class_of: the class of each image by its path below the folder that is read.
    """
    folder_of: dict[str, set[str]] = defaultdict(set)
    for name, folder in class_of.items():
        folder_of[_stem(name)].add(folder)
    for table in tables:
        given = {stem: label for stem, label in _rows(table) if len(folder_of.get(stem, ())) == 1}
        if len(given) < MOST * len(class_of):
            continue
        folders, labels = defaultdict(set), defaultdict(set)
        for stem, label in given.items():
            (folder,) = folder_of[stem]
            folders[label].add(folder)
            labels[folder].add(label)
        if _is_several(folders) and _is_several(labels):
            yield table, sorted(folders)


def _is_several(found: Mapping[str, set[str]]) -> bool:
    return any(len(each) > 1 for each in found.values())


def _rows(table: str) -> list[tuple[str, str]]:
    """Return the stem of each image that a table names, and its class; nothing if it has none."""
    try:
        if files.size(table) > LARGEST:
            return []
        header, lines = header_and_rows(table, files.read_bytes(table), EVERY_NAME)
        rows = list(lines)
        columns = find_columns(table, header, rows, TableOptions())
    except (ConfigError, DataError, OSError):
        return []
    path, labels = columns.path, columns.labels
    if len(labels) > 1:
        return []
    return [
        (_stem(cells[path]), cells[labels[0]].strip())
        for _, cells in rows
        if len(cells) > max(path, labels[0])
    ]


def _stem(path: str) -> str:
    return os.path.splitext(posixpath.basename(path.strip().replace('\\', '/')))[0]
