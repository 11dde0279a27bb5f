"""Notice labels that name several classes: each picture has one class here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from library.errors import DataError

ONE_CLASS = 'each picture has one class here'

# Between the values of a cell that is a list.
BETWEEN = '\x1f'

# What lists are written with. Commas, + and spaces are also part of names, so there every part must
# be a class itself, and of spaces there must be two such labels.
LISTS, NAMES, WORDS = re.compile(r'[;|]'), re.compile('[,+&/]'), re.compile(' ')
# A list as Python, JSON or numpy writes it: ['a', 'b'], [1, 0], ['a' 'b'], ('a', 'b').
BRACKETS = re.compile(r"""\[.*,.*\]|[(\[{]\s*(['"]).*\1[\s,]+\1.*[)\]}]""", re.DOTALL)


def cell_of(value: Any) -> str:
    """Return a value of JSON or Parquet as the cell of a table; '' for what is no text or number.

    The values of a list are marked as several.
    """
    if isinstance(value, list):
        return BETWEEN.join(map(cell_of, value))
    if value is None or isinstance(value, dict | bytes):
        return ''
    return str(int(value) if isinstance(value, bool) else value).strip()


def check_no_lists(place: str, labels: Iterable[tuple[int, str]]) -> list[str]:
    """Check that no cell such as cat;dog has parts that are classes themselves.

    Args:
      place: the table, for messages.
      labels: (number of the row, class).

    Returns:
      What may be a list, or not, said to a person.

    Raises:
      DataError: one is a list.
    """
    first_row: dict[str, int] = {}
    for number, name in labels:
        first_row.setdefault(name, number)
    several = [name for name in first_row if _is_list(name, first_row)]
    spaced = [name for name in first_row if _all_are_classes(WORDS.split(name), first_row)]
    several += spaced if len(spaced) > 1 else []
    if several:
        name = min(several, key=lambda each: first_row[each])
        more = f' (and {len(several) - 1} more such labels)' if len(several) > 1 else ''
        raise DataError(
            f'{place}: row {first_row[name]}: {name!r} names several classes{more}: {ONE_CLASS}'
        )
    return [
        f'warning: row {first_row[name]}: {name!r} is taken for a class of its own, and may name '
        f'several ({ONE_CLASS})'
        for name in spaced
    ]


def _is_list(name: str, classes: Collection[str]) -> bool:
    if BRACKETS.fullmatch(name):
        return True
    parts = _parts(LISTS.split(name))
    if len(parts) > 1 and any(part in classes for part in parts):
        return True
    return _all_are_classes(NAMES.split(name), classes)


def _all_are_classes(parts: list[str], classes: Collection[str]) -> bool:
    parts = _parts(parts)
    return len(parts) > 1 and all(part in classes for part in parts)


def _parts(parts: list[str]) -> list[str]:
    return [part.strip() for part in parts if part.strip()]
