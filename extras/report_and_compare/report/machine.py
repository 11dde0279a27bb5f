"""Tabulate where a run was trained, from the starts in environment.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def environment(starts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the last start, and how many there were."""
    if not starts:
        return {'environment': [], 'starts_text': ''}
    # The command has a place of its own.
    rows = [
        (name.replace('_', ' '), _text(value))
        for name, value in starts[-1].items()
        if name != 'command'
    ]
    text = 'The run was started once, or always in the same way.'
    if len(starts) > 1:
        text = f'The last of {len(starts)} starts that differ.'
    return {'environment': rows, 'starts_text': text}


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ', '.join(f'{name} {_text(each)}' for name, each in value.items())
    if isinstance(value, list):
        return ', '.join(map(_text, value)) or 'none'
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    if isinstance(value, int):
        return f'{value:,}'
    return 'none' if value is None else str(value)
