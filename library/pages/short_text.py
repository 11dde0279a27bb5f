"""Names of anything to short texts in one line, for tables, pictures and pages."""

from __future__ import annotations


def printable(text: str) -> str:
    """What could move the cursor or cannot be drawn, such as bytes that are no UTF-8, is a `?`."""
    return ''.join(character if character.isprintable() else '?' for character in text)


def start_of(text: str, length: int) -> str:
    """A text of at most `length` characters; of a longer one the start is kept."""
    return text if len(text) <= length else f'{text[: length - 1]}…'


def end_of(text: str, length: int) -> str:
    """A text of at most `length` characters; of a longer one the end is kept, as of a path."""
    return text if len(text) <= length else f'…{text[len(text) - length + 1 :]}'


def short_name(name: str, length: int = 22) -> str:
    """A name, such as of a class, of at most `length` characters that can be shown."""
    return start_of(printable(name), length)
