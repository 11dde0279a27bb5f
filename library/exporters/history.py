"""Read the evaluations of a run from eval/history.jsonl, and find the best; no TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from library import files

HISTORY = ('eval', 'history.jsonl')
_LARGEST = 1e300


def read_history(model_dir: str) -> list[dict[str, Any]]:
    """Read the metrics of all evaluations of a run so far, by step."""
    return read_lines(files.join(model_dir, *HISTORY), 'global_step')[0]


def read_lines(path: str, step_name: str) -> tuple[list[dict[str, Any]], int]:
    """Read the lines of a log, and count the spoiled ones; none where there is no file.

    Args:
      path: of a file with one mapping as JSON in each line.
      step_name: the key that every line must have, with a whole number.
    """
    if not files.exists(path):
        return [], 0
    read, spoiled = [], 0
    for line in files.read_bytes(path).splitlines():
        try:
            values = json.loads(line)
            if not isinstance(values[step_name], int):
                raise TypeError(step_name)
            read.append(values)
        except (ValueError, TypeError, KeyError, RecursionError):
            # A line damaged by a person or a disk costs that line, not the run.
            spoiled += 1
    return read, spoiled


def number(metrics: Mapping[str, Any], name: str) -> float | None:
    """Return the value of a metric; None where there is none, or it is not a finite number."""
    value = metrics.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    # A whole number in JSON can be too large for a float, which math.isfinite would refuse.
    return value if -_LARGEST < value < _LARGEST else None


def best_of(
    history: Sequence[Mapping[str, Any]], metric: str, lower_is_better: bool
) -> Mapping[str, Any] | None:
    """Find the evaluation with the best value, of equals the first; None where none has one."""
    known = [each for each in history if number(each, metric) is not None]
    sign = 1 if lower_is_better else -1
    return min(known, key=lambda each: sign * each[metric], default=None)
