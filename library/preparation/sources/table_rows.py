"""The cells of a table's rows to the image, class, split and group that each names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from library.errors import DataError
from library.preparation.sources.columns import ONES, ZEROS, Columns
from library.preparation.sources.several_labels import BETWEEN, ONE_CLASS
from library.preparation.sources.table_images import BadRow, TableImages
from library.records.listing import SPLIT_NAMES, is_split_name

# (number of the line that the row starts in, cells by column).
NumberedRow = tuple[int, list[str]]


class TableRow(NamedTuple):
    """One image as the table gives it, with its path below the folder of images."""

    number: int
    filename: str
    class_name: str
    split: str
    group: str


def parsed_rows(
    path: str,
    header: Sequence[str],
    rows: Sequence[NumberedRow],
    columns: Columns,
    images: TableImages,
) -> list[TableRow]:
    """Read the cells of all rows.

    Raises:
      DataError: for the first bad row, once all are counted, or for paths of several places.
    """
    parsed, bad = [], []
    for number, cells in rows:
        try:
            parsed.append(_row(number, cells, header, columns, images))
        except BadRow as error:
            bad.append(f'row {number}: {error}')
    raise_bad(path, bad)
    try:
        images.check_moves()
    except BadRow as error:
        raise DataError(f'{path}: {error}') from None
    return parsed


def _row(
    number: int, cells: list[str], header: Sequence[str], columns: Columns, images: TableImages
) -> TableRow:
    width = len(header)
    if any(cell.strip() for cell in cells[width:]):
        raise BadRow(f'{len(cells)} cells below {width} columns (a delimiter needs quotes)')
    cells = [cell.strip() for cell in cells[:width]] + [''] * (width - len(cells))
    path = cells[columns.path]
    if not path:
        raise BadRow('no path')
    if len(columns.labels) == 1:
        class_name = cells[columns.labels[0]]
    else:
        class_name = _one_of(header, cells, columns.labels)
    if not class_name:
        raise BadRow('no label')
    if BETWEEN in class_name:
        raise BadRow(f'several classes, {class_name.replace(BETWEEN, ", ")}: {ONE_CLASS}')
    if class_name.splitlines() != [class_name]:
        raise BadRow(f'the class name {class_name!r} holds a line break')
    for text in (path, class_name):
        # An escape of JSON can write one; a file's name cannot be it, and neither can UTF-8.
        if re.search('[\ud800-\udfff]', text):
            raise BadRow(f'{text!r} holds half a character')
    split = '' if columns.split is None else _split(cells[columns.split])
    group = '' if columns.group is None else cells[columns.group]
    if columns.group is not None and not group:
        raise BadRow('no group')
    return TableRow(number, images.filename(path), class_name, split, group)


def _one_of(header: Sequence[str], cells: Sequence[str], labels: Sequence[int]) -> str:
    """Return the name of the one column that is 1."""
    for index in labels:
        if cells[index].lower() not in ZEROS | ONES | {''}:
            raise BadRow(f'{cells[index]!r} in column {header[index]!r} is neither 0 nor 1')
    names = [header[index] for index in labels if cells[index].lower() in ONES]
    if len(names) > 1:
        several = ' and '.join(map(repr, names[:5]))
        raise BadRow(f'{several} are 1: {ONE_CLASS} (--label_column names the columns of classes)')
    if not names:
        raise BadRow('no label: no column of a class is 1')
    return names[0]


def _split(name: str) -> str:
    if not name:
        raise BadRow('no split')
    if not is_split_name(name):
        raise BadRow(f'{name!r} cannot be the name of a split')
    return SPLIT_NAMES.get(name.lower(), name)


def raise_bad(path: str, bad: Sequence[str]) -> None:
    """Raise DataError for the first bad row, if there is any."""
    if bad:
        count = f' (the first of {len(bad)} bad rows)' if len(bad) > 1 else ''
        raise DataError(f'{path}: {bad[0]}{count}')
