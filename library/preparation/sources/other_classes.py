"""Find a table beside class folders that puts the same images into other classes.

Its columns say what is meant: the folders then may be the parts of a download.
"""

from __future__ import annotations

import os
import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from library import files
from library.errors import ConfigError, DataError
from library.preparation.options import TableOptions
from library.preparation.sources.columns import ONES, find_columns
from library.preparation.sources.csv_file import EVERY_NAME
from library.preparation.sources.csv_table import JSON_ENDINGS, header_and_rows
from library.preparation.sources.json_lines import keys_and_rows

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
      tables: paths of CSV files and JSON lines.
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
        data = files.read_bytes(table)
        if table.lower().endswith(JSON_ENDINGS):
            header, lines = keys_and_rows(table, data)
        else:
            header, lines = header_and_rows(table, data, EVERY_NAME)
        rows = list(lines)
        columns = find_columns(table, header, rows, TableOptions())
    except (ConfigError, DataError, OSError):
        return []
    width = max(columns.path, *columns.labels) + 1
    return [
        (_stem(cells[columns.path]), label)
        for _, cells in rows
        if len(cells) >= width and (label := _class_in(header, cells, columns.labels))
    ]


def _class_in(header: Sequence[str], cells: Sequence[str], labels: Sequence[int]) -> str:
    """Return the class of a row; '' where none of its columns is 1, or several are."""
    if len(labels) == 1:
        return cells[labels[0]].strip()
    names = [header[index] for index in labels if cells[index].strip().lower() in ONES]
    return names[0] if len(names) == 1 else ''


def _stem(path: str) -> str:
    return os.path.splitext(posixpath.basename(path.strip().replace('\\', '/')))[0]
