"""Shorten any name to one line, for tables, pictures and pages."""

from __future__ import annotations


def printable(text: str) -> str:
    """Replace by `?` what could move the cursor or cannot be drawn, such as invalid UTF-8."""
    return ''.join(character if character.isprintable() else '?' for character in text)


def start_of(text: str, length: int) -> str:
    """Keep the start of a text, at most `length` characters."""
    return text if len(text) <= length else f'{text[: length - 1]}…'


def end_of(text: str, length: int) -> str:
    """Keep the end of a text, as of a path, at most `length` characters."""
    return text if len(text) <= length else f'…{text[len(text) - length + 1 :]}'


def short_name(name: str, length: int = 22) -> str:
    """Shorten a name, such as of a class, to at most `length` characters that can be shown."""
    return start_of(printable(name), length)
