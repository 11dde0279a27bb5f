"""Find the columns of a table of images by the names that people give them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from library.errors import ConfigError
from library.preparation.options import TableOptions
from library.preparation.sources.csv_table import plain_name
from library.records.listing import SPLIT_NAMES

# Names of the column with the path, in any case, without spaces, dots, - and _; the second ones
# count where none of the first is there, as a number often stands beside a path.
PATH_COLUMNS = (
    (
        *('path', 'file', 'filename', 'filepath', 'filepaths', 'image', 'imagepath', 'imagename'),
        *('imagefile', 'imagefilename', 'img', 'imgpath', 'imgname', 'imgfile', 'photo'),
    ),
    ('imageid', 'imgid', 'photoid', 'fileid', 'id', 'idcode'),
)
# Names of the column with the class, likewise: a name of the class counts before its number.
LABEL_COLUMNS = (
    (
        *('label', 'labels', 'class', 'classes', 'classname', 'labelname', 'breed', 'category'),
        *('categoryname', 'species', 'target', 'diagnosis', 'dx'),
    ),
    ('classid', 'labelid', 'categoryid', 'classidx', 'labelidx', 'classindex', 'targetid', 'y'),
)
# Names of the column with the split; but for the first, if all its cells are usual names of splits.
SPLIT_COLUMNS = ('split', 'dataset', 'subset', 'partition', 'set')
# Cells of columns that say of each class whether an image is of it.
ZEROS, ONES = frozenset(['0', '0.0', 'false']), frozenset(['1', '1.0', 'true'])
# Where one of these is a column, y is no class: a box, or a place.
BESIDE_COORDINATES = frozenset(['x', 'w', 'h', 'z', 'width', 'height', 'xmin', 'xmax', 'lon'])
# The number of the row, as pandas writes it.
NO_CLASS = re.compile(r'|unnamed:\d+|index|idx')
# Of so many rows, as many classes as half of them are none.
MANY = 20

SHOWN = 12

# The names of a tier before those of the next.
Names = Sequence[Sequence[str]]


class Columns(NamedTuple):
    """Which columns hold what; None for what the table does not hold.

    `labels` are one column with the class, or several of 0 and 1, one for each class.
    """

    path: int
    labels: tuple[int, ...]
    split: int | None = None
    group: int | None = None


def known_column(place: str, header: Sequence[str], names: Names, flag: str) -> int | None:
    """Find the column that has one of the usual names.

    Args:
      place: the table, for messages.
      header: the columns.
      names: PATH_COLUMNS or LABEL_COLUMNS.
      flag: of the option that names the column, for messages; '' if there is none.

    Returns:
      The column's index; None where no column has such a name.

    Raises:
      ConfigError: several have; the documented name, such as path, counts before others.
    """
    first = names[0][0]
    if first in header:
        return _only(place, header, first, flag)
    plain = [plain_name(column) for column in header]
    for tier in names:
        found = [index for index, column in enumerate(plain) if column in tier]
        exact = [index for index in found if plain[index] == first]
        if len(exact) == 1 or len(found) == 1:
            return (exact or found)[0]
        if found:
            several = ' and '.join(repr(header[index]) for index in found)
            hint = f'name one (--{flag})' if flag else f'call one {first!r}'
            raise ConfigError(f'{place}: {several} may be meant: {hint}')
    return None


def find_columns(
    place: str,
    header: Sequence[str],
    rows: Sequence[tuple[int, list[str]]],
    options: TableOptions,
    group_column: str | None = None,
) -> Columns:
    """Find the columns of a table with a header, named by options or by their usual names.

    Args:
      place: the table, for messages.
      header: the columns.
      rows: (number, cells) below it.
      options: name columns.
      group_column: names one more.

    Raises:
      ConfigError: a column is not there, or several may be meant; the message lists the columns.
    """
    if options.path_column is not None:
        path = _only(place, header, options.path_column, 'path_column')
    else:
        found = known_column(place, header, PATH_COLUMNS, 'path_column')
        if found is None:
            raise missing(place, header, "'path', 'filename' or 'image'", 'path_column')
        path = found
    split_name = options.split_column or (SPLIT_COLUMNS[0] if SPLIT_COLUMNS[0] in header else None)
    split: int | None
    if split_name:
        split = _only(place, header, split_name, 'split_column')
    else:
        split = _split_column(header, rows)
    group = _only(place, header, group_column, 'group_column') if group_column else None
    others = [each for each in range(len(header)) if each not in (path, split, group)]
    return Columns(path, _labels(place, header, rows, options, others), split, group)


def _labels(
    place: str,
    header: Sequence[str],
    rows: Sequence[tuple[int, list[str]]],
    options: TableOptions,
    others: Sequence[int],
) -> tuple[int, ...]:
    if options.label_column:
        return tuple(_only(place, header, name, 'label_column') for name in options.label_column)
    hidden = ['' if index not in others else column for index, column in enumerate(header)]
    is_place = not BESIDE_COORDINATES.isdisjoint(map(plain_name, hidden))
    hidden = [
        '' if plain_name(column) == 'y' and _is_coordinate(rows, index, is_place) else column
        for index, column in enumerate(hidden)
    ]
    found = known_column(place, hidden, LABEL_COLUMNS, 'label_column')
    if found is not None:
        return (found,)
    rest = [index for index in others if not NO_CLASS.fullmatch(plain_name(header[index]))]
    cells = {index: _cells(rows, index) for index in rest}
    flags = tuple(index for index in rest if rows and cells[index] <= ZEROS | ONES)
    # A class may have no image here. One column beside others may say anything, such as valid.
    if not any(cells[index] & ONES for index in flags) or len(flags) == 1 < len(rest):
        raise missing(place, header, "'label', 'class' or 'category'", 'label_column')
    return flags


def _is_coordinate(rows: Sequence[tuple[int, list[str]]], index: int, is_place: bool) -> bool:
    """Return whether a column called y holds places in pictures, not labels."""
    are_numbers = all(re.fullmatch(r'[-+]?[\d.]+', cell) for cell in _cells(rows, index))
    return (is_place and are_numbers) or _is_measure(rows, index)


def _split_column(header: Sequence[str], rows: Sequence[tuple[int, list[str]]]) -> int | None:
    for index, column in enumerate(header):
        is_named = bool(rows) and plain_name(column) in SPLIT_COLUMNS
        if is_named and _cells(rows, index) <= SPLIT_NAMES.keys():
            return index
    return None


def _is_measure(rows: Sequence[tuple[int, list[str]]], index: int) -> bool:
    """Return True for a column of numbers most of which are different, or with decimals."""
    cells = _cells(rows, index)
    is_number = all(re.fullmatch(r'-?\d*\.?\d+(e-?\d+)?', each) for each in cells)
    has_decimals = any(float(each) % 1 for each in cells) if is_number else False
    return is_number and (has_decimals or (len(rows) >= MANY and len(cells) > len(rows) / 2))


def _cells(rows: Sequence[tuple[int, list[str]]], index: int) -> set[str]:
    """Return the different cells of a column."""
    return {cells[index].strip().lower() if index < len(cells) else '' for _, cells in rows}


def missing(place: str, header: Sequence[str], wanted: str, flag: str = '') -> ConfigError:
    """Make the error for a column that is not there; it lists those that are."""
    columns = ', '.join(repr(each[:40]) for each in header[:SHOWN])
    more = ' ...' if len(header) > SHOWN else ''
    option = f' (--{flag})' if flag else ''
    return ConfigError(f'{place}: no column {wanted}{option}; its columns are {columns}{more}')


def _only(place: str, header: Sequence[str], name: str, flag: str) -> int:
    if name not in header:
        raise missing(place, header, repr(name), flag)
    if header.count(name) > 1:
        raise ConfigError(f'{place}: {header.count(name)} columns are named {name!r} (--{flag})')
    return header.index(name)


def guessed(header: Sequence[str], columns: Columns, options: TableOptions) -> Iterator[str]:
    """Say which columns were taken without being named; nothing of the documented names."""
    parts = []
    if options.path_column is None and header[columns.path] != PATH_COLUMNS[0][0]:
        parts.append(f'paths in {header[columns.path]!r}')
    names = [header[index] for index in columns.labels]
    if not options.label_column and names != [LABEL_COLUMNS[0][0]]:
        shown = ', '.join(map(repr, names[:SHOWN])) + (' ...' if len(names) > SHOWN else '')
        several = f' ({len(names)} columns of 0 and 1)' if len(names) > 1 else ''
        parts.append(f'classes in {shown}{several}')
    if options.split_column is None and columns.split is not None:
        split = header[columns.split]
        parts += [f'splits in {split!r}'] if split != SPLIT_COLUMNS[0] else []
    if parts:
        yield 'columns taken by their names: ' + ', '.join(parts)
