"""Format rows of texts as aligned lines that fit the screen."""

from __future__ import annotations

from collections.abc import Sequence

from library.pages.short_text import end_of, printable, start_of

# What the tables try to stay within.
WIDTH = 100
LONGEST_VALUE = 24
_GAP = '  '

Column = tuple[str, Sequence[str]]


def in_one_line(text: str, length: int = LONGEST_VALUE) -> str:
    """Shorten a text to fit a cell; of a path the end is kept, otherwise the start."""
    text = printable(text)
    return end_of(text, length) if '/' in text else start_of(text, length)


def width_of(columns: Sequence[Column]) -> int:
    """Return the length of the lines that `lines_of` gives."""
    return sum(map(_width, columns)) + len(_GAP) * (len(columns) - 1)


def lines_of(columns: Sequence[Column]) -> list[str]:
    """Align lines under their headings: numbers right, texts left."""
    padded = [_padded(column) for column in columns]
    return [_GAP.join(cells).rstrip() for cells in zip(*padded, strict=True)]


def blocks_of(first: Column, others: Sequence[Column]) -> list[list[str]]:
    """Return lines of as many columns as fit, the first column in each block."""
    blocks: list[list[Column]] = []
    for column in others:
        if not blocks or width_of([*blocks[-1], column]) > WIDTH:
            blocks.append([first])
        blocks[-1].append(column)
    return [lines_of(block) for block in blocks]


def _width(column: Column) -> int:
    heading, cells = column
    return max(map(len, (heading, *cells)))


def _padded(column: Column) -> list[str]:
    heading, cells = column
    width = _width(column)
    numbers = all(cell.strip('*-').replace('.', '', 1).isdecimal() or cell == '-' for cell in cells)
    return [f'{cell:>{width}}' if numbers else f'{cell:<{width}}' for cell in (heading, *cells)]
