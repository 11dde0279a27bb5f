"""The text of a CSV file to its columns and rows, however a spreadsheet delimits them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence

from library.errors import ConfigError, DataError

# The second is what spreadsheets write where the comma is the decimal mark.
DELIMITERS = (',', ';', '\t')
# What tables are called; those of JSON have an object in each line.
CSV_ENDINGS, JSON_ENDINGS = ('.csv', '.tsv'), ('.jsonl', '.ndjson')


def plain_name(column: str) -> str:
    """Return a column's name in small letters, without spaces, dots, - and _."""
    return re.sub(r'[\s._-]+', '', column.lower())


def header_and_rows(
    path: str, data: bytes, wanted: Sequence[str]
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Split a file into its columns and the rows below them.

    Args:
      path: for messages.
      data: the whole file.
      wanted: names of columns, or plain names; the delimiter that gives one of them is taken,
        otherwise the one that gives most columns.

    Returns:
      The header's cells, and (line that it starts in, cells) of each row that is not blank.

    Raises:
      ConfigError: the text is UTF-16.
      DataError: the text is no UTF-8, the file is empty, or a row is damaged; while iterating, for
        a row below the first.
    """
    text = utf8_text(path, data)
    tables, errors = [], []
    for delimiter in DELIMITERS:
        rows = _numbered(path, text, delimiter)
        try:
            _, cells = next(rows, (1, []))
        except DataError as error:
            errors.append(error)
        else:
            tables.append(([cell.strip() for cell in cells], rows))
    if not tables:
        raise errors[0]
    header, rows = max(tables, key=lambda table: (_has_any(table[0], wanted), len(table[0])))
    if not header:
        raise DataError(f'{path}: the file is empty')
    return header, rows


def utf8_text(path: str, data: bytes) -> str:
    """Decode a table; classes of another encoding would have names that nobody can read.

    Args:
      path: for messages.
      data: the whole file, perhaps with a byte order mark.

    Raises:
      ConfigError: the text is UTF-16.
      DataError: it is no UTF-8.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ConfigError(f'{path}: the text is UTF-16; save it as UTF-8')
    try:
        return data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        line = error.object.count(b'\n', 0, error.start) + 1
        raise DataError(f'{path}: line {line}: the text is not UTF-8; save it as UTF-8') from None


def _has_any(header: Sequence[str], wanted: Sequence[str]) -> bool:
    return any(column in wanted or plain_name(column) in wanted for column in header)


def _numbered(path: str, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line that it starts in, cells) of each row that is not blank."""
    lines = io.StringIO(text, newline='')
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise DataError(f'{path}: row {number}: {error} (is a quote left open?)') from None
        if cells is None:
            return
        if any('\0' in cell for cell in cells):
            raise DataError(f'{path}: row {number}: holds a NUL byte')
        if any(cell.strip() for cell in cells):
            yield number, cells
