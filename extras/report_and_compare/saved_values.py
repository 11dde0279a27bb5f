"""Read the values that a run kept and where each came from; fast, and without TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from library import files
from library.errors import ConfigError
from library.runs.kept_values import ORIGINS, read_saved


@dataclass(frozen=True)
class SavedValue:
    """What a run kept of one option: its written value, and who gave it ('' if unknown)."""

    text: str | tuple[str, ...]
    origin: str

    @property
    def shown(self) -> str:
        """Return the value in one line, as --explain has it."""
        if self.text in ('null', ()):
            return 'none'
        return self.text if isinstance(self.text, str) else ', '.join(self.text)


def read_saved_values(folder: str) -> dict[str, SavedValue]:
    """Read the values of the run in `folder`, in the order of its file; {} if it keeps none.

    A run that was kept before there was hparams.json has values without origins.

    Raises:
      ConfigError: the file is damaged.
    """
    path = files.join(folder, ORIGINS)
    if files.exists(path):
        return _from_json(path)
    written = read_saved(folder) or {}
    return {name: SavedValue(each.text, '') for name, each in written.items()}


def is_of_same_run(values: Mapping[str, SavedValue], folder: str) -> bool:
    """Return whether one run kept these values and those in `folder`, in its first start."""
    try:
        theirs = read_saved_values(folder).get('run_id')
    except ConfigError:
        return False
    own = values.get('run_id')
    return own is not None and theirs is not None and own.text == theirs.text


def _from_json(path: str) -> dict[str, SavedValue]:
    try:
        kept = json.loads(files.read_bytes(path))
        return {
            name: SavedValue(_text(each['value']), str(each['origin']))
            for name, each in kept.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ConfigError(f'{path}: damaged') from None


def _text(value: Any) -> str | tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else str(value)
