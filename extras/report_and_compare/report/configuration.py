"""Tell what a run was told, with origins, what somebody gave first; and where it was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from extras.report_and_compare.saved_values import SavedValue
from library.config.fields import as_written, options_of
from library.config.hparams import HParams
from library.pages.short_text import start_of
from library.runs.metadata import RunMetadata

# Of a list of a thousand class names the first ones are enough.
LONGEST = 300


def configuration(values: Mapping[str, SavedValue], hparams: HParams) -> dict[str, Any]:
    """Tell what was given, what stayed at its default, and what the run found out.

    Args:
      values: that the run kept.
      hparams: of the evaluation, for a run that kept no values.
    """
    if not values:
        values = {
            name: SavedValue(as_written(entry.value), entry.origin)
            for name, entry in hparams.entries().items()
        }
    found_out = {each.name for each in options_of(RunMetadata)}
    rows = [
        {'name': name, 'value': _cut(each), 'origin': each.origin} for name, each in values.items()
    ]
    own = [row for row in rows if row['name'] not in found_out]
    given = [row for row in own if row['origin'] != 'default']
    known = all(row['origin'] for row in given)
    return {
        'given': given,
        'given_text': f'What is not {"" if known else "known to be "}at its default.',
        'defaults': [row for row in own if row['origin'] == 'default'],
        'facts': [row for row in rows if row['name'] in found_out],
    }


def environment(starts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Tell where the last start of environment.json was, and how many there were."""
    if not starts:
        return {'environment': [], 'starts_text': ''}
    # The command has a place of its own.
    rows = [
        (name.replace('_', ' '), _text(value))
        for name, value in starts[-1].items()
        if name != 'command'
    ]
    text = 'The run was started once, or always alike.'
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


def _cut(value: SavedValue) -> str:
    text = value.shown
    if len(text) <= LONGEST:
        return text
    count = f' ({len(value.text)} in all)' if isinstance(value.text, tuple) else ''
    return f'{start_of(text, LONGEST)}{count}'
