"""The values of a run to rows with origins, those that somebody gave first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from extras.report_and_compare.saved_values import SavedValue
from library.config.fields import options_of
from library.config.hparams import HParams
from library.pages.short_text import start_of
from library.runs.metadata import RunMetadata

# Of a list of a thousand class names the first ones tell enough.
LONGEST = 300


@dataclass(frozen=True)
class ConfigurationRow:
    """One option, as text."""

    name: str
    value: str
    origin: str


def configuration(values: Mapping[str, SavedValue], hparams: HParams) -> dict[str, Any]:
    """What was given, what stayed at its default, and what the run found out.

    Args:
      values: that the run kept.
      hparams: of the evaluation, which knows no less where the run kept none.
    """
    if not values:
        values = {
            name: SavedValue(_written(entry.value), entry.origin)
            for name, entry in hparams.entries().items()
        }
    found_out = {each.name for each in options_of(RunMetadata)}
    rows = [ConfigurationRow(name, _cut(each), each.origin) for name, each in values.items()]
    own = [row for row in rows if row.name not in found_out]
    given = [row for row in own if row.origin != 'default']
    known = all(row.origin for row in given)
    return {
        'given': given,
        'given_text': f'What is not {"" if known else "known to be "}at its default.',
        'defaults': [row for row in own if row.origin == 'default'],
        'facts': [row for row in rows if row.name in found_out],
    }


def _written(value: Any) -> str | tuple[str, ...]:
    """A value as a run would have kept it."""
    if isinstance(value, tuple):
        return tuple(map(str, value))
    if value is None or isinstance(value, bool):
        return {None: 'null', True: 'true', False: 'false'}[value]
    return str(value)


def _cut(value: SavedValue) -> str:
    text = value.shown
    if len(text) <= LONGEST:
        return text
    count = f' ({len(value.text)} in all)' if isinstance(value.text, tuple) else ''
    return f'{start_of(text, LONGEST)}{count}'
