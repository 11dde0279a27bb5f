"""Read what a run left in its model_dir: values, curves and starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from extras.report_and_compare.saved_values import SavedValue, is_of_same_run, read_saved_values
from library import files
from library.errors import ConfigError
from library.exporters.history import read_history, read_lines
from library.hooks.environment_log import read_starts
from library.hooks.metrics_log import METRICS
from library.runs.directory import BEST_STATE


@dataclass(frozen=True)
class RunFiles:
    """What a run wrote; all of it may be missing.

    Attributes:
      folder: of the run; None for best checkpoints whose run is no longer where it was.
      values: its settings, with origins.
      history: the metrics of each evaluation while it trained, by step.
      training: lines of metrics.jsonl, by step.
      starts: of environment.json.
    """

    folder: str | None
    values: dict[str, SavedValue] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    training: list[dict[str, Any]] = field(default_factory=list)
    starts: list[dict[str, Any]] = field(default_factory=list)


def read_run_files(model_dir: str) -> RunFiles:
    """Read the run in a folder, or the run that a folder with best checkpoints belongs to."""
    values = _values(model_dir)
    folder: str | None = model_dir
    if files.exists(files.join(model_dir, BEST_STATE)):
        folder = next(_runs_of_best(model_dir, values), None)
    if folder is None:
        return RunFiles(None, values)
    training, _ = read_lines(files.join(folder, METRICS), 'step')
    return RunFiles(folder, values, read_history(folder), training, read_starts(folder))


def _runs_of_best(folder: str, values: dict[str, SavedValue]) -> Iterator[str]:
    """Return where the run of best checkpoints may be: where it was, or around them."""
    places = [os.path.dirname(folder.rstrip('/'))]
    if 'model_dir' in values:
        places.insert(0, str(values['model_dir'].text))
    for place in places:
        if place != folder and is_of_same_run(values, place):
            yield place


def _values(folder: str) -> dict[str, SavedValue]:
    try:
        return read_saved_values(folder)
    except ConfigError:
        # A page about the evaluation is worth more than none.
        return {}
