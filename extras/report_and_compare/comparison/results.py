"""Read a run's settings and what it reached from its folder."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from extras.report_and_compare.saved_values import SavedValue, is_of_same_run, read_saved_values
from library import files
from library.errors import ConfigError
from library.exporters.history import HISTORY, number, read_lines
from library.runs.directory import BEST_STATE

_NEWEST = re.compile(r'^model_checkpoint_path: ".*-(\d+)"$', flags=re.MULTILINE)
_COUNTS = ('global_step', 'examples')

# Name of the folder, and metrics.
Evaluated = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class RunResult:
    """One run.

    Attributes:
      folder: of the run.
      values: its settings; {} where its file is damaged.
      history: the metrics of its evaluations while it trained, by step.
      evaluated: the metrics that `run.py evaluate` wrote, of several evaluations those of eval/,
        otherwise of the first by name; {} where it wrote none.
      evaluation: the name of the folder that they were written to; '' where there is none.
      steps: how far it was trained; None if unknown.
    """

    folder: str
    values: dict[str, SavedValue]
    history: list[dict[str, Any]]
    evaluated: dict[str, Any]
    evaluation: str
    steps: int | None

    @property
    def metrics(self) -> set[str]:
        """Return the names of all metrics that were measured."""
        measured = [*self.history, self.evaluated]
        return {name for each in measured for name in each if number(each, name) is not None} - {
            *_COUNTS
        }

    @property
    def epochs(self) -> float | None:
        """Return how many epochs it trained; None if unknown."""
        batch = self._whole('train_batch_size') or self._whole('batch_size')
        examples = self._whole('train_examples')
        return self.steps * batch / examples if self.steps and batch and examples else None

    def _whole(self, name: str) -> int | None:
        text = self.values[name].text if name in self.values else ''
        if not isinstance(text, str) or not re.fullmatch(r'[0-9]{1,12}', text):
            return None
        return int(text)


def read_result(folder: str) -> RunResult:
    """Read a run; warn of what is damaged and leave it out."""
    try:
        values = read_saved_values(folder)
    except ConfigError as error:
        _warn(str(error))
        values = {}
    path = files.join(folder, *HISTORY)
    history, spoiled = read_lines(path, 'global_step')
    if spoiled:
        _warn(f'{path}: {spoiled} damaged {"line" if spoiled == 1 else "lines"} left out')
    history = history or _snapshots(folder)
    steps = _newest_step(folder)
    if steps is None and history:
        steps = max(each['global_step'] for each in history)
    found = next(_evaluations(folder), None) or next(_of_best(folder, values), ('', {}))
    evaluation, evaluated = found
    return RunResult(folder, values, history, evaluated, evaluation, steps)


def _newest_step(folder: str) -> int | None:
    """Read the step of the newest checkpoint from the file that TensorFlow keeps."""
    path = files.join(folder, 'checkpoint')
    if not files.exists(path):
        return None
    found = _NEWEST.search(files.read_bytes(path).decode(errors='replace'))
    return int(found[1]) if found else None


def _snapshots(folder: str) -> list[dict[str, Any]]:
    """Read best.json of a folder of best checkpoints, which has no history of its own."""
    path = files.join(folder, BEST_STATE)
    if not files.exists(path):
        return []
    try:
        state = json.loads(files.read_bytes(path))
        return [
            {state['metric']: s['value'], 'global_step': s['global_step']}
            for s in state['snapshots']
        ]
    except (ValueError, TypeError, KeyError, RecursionError):
        _warn(f'{path}: damaged, left out')
        return []


def _of_best(folder: str, values: Mapping[str, SavedValue]) -> Iterator[Evaluated]:
    """Return the evaluations of the run's best checkpoints, as long as they are its own."""
    best = values.get('best_model_dir')
    if best is None or not isinstance(best.text, str) or best.text == folder:
        return
    # Without an evaluation there is nothing to find out.
    for evaluated in _evaluations(best.text):
        if is_of_same_run(values, best.text):
            yield evaluated


def _evaluations(folder: str) -> Iterator[Evaluated]:
    """Return the evaluations by `run.py evaluate`, under their names: eval/ first."""
    names = [name for name in files.names_in(folder) if re.fullmatch(r'eval(_.*)?', name)]
    for name in names:
        path = files.join(folder, name, 'metrics.json')
        if not files.exists(path):
            continue
        try:
            metrics = json.loads(files.read_bytes(path))
        except (ValueError, RecursionError):
            metrics = None
        if isinstance(metrics, dict):
            yield name, metrics
        else:
            _warn(f'{path}: damaged, left out')


def _warn(text: str) -> None:
    logging.getLogger(__name__).warning('warning: %s', text)
