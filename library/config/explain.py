"""Explain HParams to people: the table of --explain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from library.config.hparams import HParams


def explain(hparams: HParams, notes: Mapping[str, str] | None = None) -> str:
    """Make a table of every value with its origin, in the groups of --help.

    Args:
      hparams: the values.
      notes: by name, a note on a value, such as which other one overrules it.
    """
    notes = notes or {}
    rows = [
        (n, shown(e.value), e.origin + (f' ({notes[n]})' if n in notes else ''), e.option.group)
        for n, e in hparams.entries().items()
    ]
    name_width = max(len(row[0]) for row in rows)
    value_width = min(40, max(len(row[1]) for row in rows))
    lines, group = [], None
    for name, value, origin, row_group in sorted(rows, key=lambda row: row[3]):
        if row_group != group:
            lines.append(f'[{row_group}]')
            group = row_group
        lines.append(f'  {name:<{name_width}}  {value:<{value_width}}  {origin}')
    if hparams.unused:
        lines.append('[unused by this run]')
        lines += [f'  {name:<{name_width}}  {origin}' for name, origin in hparams.unused.items()]
    return '\n'.join(lines)


def shown(value: Any) -> str:
    """Format a value in one line, as --explain has it."""
    if value is None or value == ():
        return 'none'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ', '.join(str(part) for part in value)
    return str(value)
