"""What is watched, as lines of JSON: metrics.jsonl, for programs to read."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import tensorflow as tf

from library import files
from library.hooks.due_steps import DueSteps
from library.hooks.watched import watched

METRICS = 'metrics.jsonl'


class MetricsLogHook(tf.estimator.SessionRunHook):
    """Appends {'step', 'time', and all that is watched} at every step that a number divides.

    Stands before the saver in the list of hooks: the line of a step is there once its checkpoint
    is. Lines beyond the checkpoint that a run goes on from are dropped, as they come again.
    """

    def __init__(self, model_dir: str, every_steps: int):
        """Makes the hook.

        Args:
          model_dir: the run's folder, local or remote.
          every_steps: steps from one line to the next.
        """
        self._model_dir = model_dir
        self._path = files.join(model_dir, METRICS)
        self._steps = DueSteps(every_steps)

    def begin(self) -> None:
        """Finds the tensors."""
        self._tensors = watched()
        self._steps.begin()

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Drops what will come again, and a line that a kill cut off."""
        self._steps.start(session)
        files.make_folder(self._model_dir)
        if files.exists(self._path):
            lines = files.read_bytes(self._path).splitlines(keepends=True)
            kept = [line for line in lines if _is_until(self._steps.step, line)]
            if kept != lines:
                files.write_atomically(self._path, b''.join(kept))

    def before_run(self, run_context: Any) -> Any:
        """Asks for the numbers only when a line is due: each fetch waits for the device."""
        seems_due = self._steps.seems_next()
        return tf.estimator.SessionRunArgs(self._tensors) if seems_due else None

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Writes the line if it is due."""
        if not self._steps.reached(run_context.session):
            return
        time = datetime.now(UTC).isoformat(timespec='milliseconds')
        values = {name: _plain(value) for name, value in run_values.results.items()}
        line = json.dumps({'step': self._steps.step, 'time': time} | values, allow_nan=False)
        with tf.io.gfile.GFile(self._path, 'a') as file:
            file.write(f'{line}\n')


def _plain(value: Any) -> float | None:
    """A float32 as the shortest number that means it (0.001, not 0.0010000000475)."""
    return float(str(value)) if math.isfinite(value) else None


def _is_until(step: int, line: bytes) -> bool:
    try:
        return line.endswith(b'\n') and json.loads(line)['step'] <= step
    except (ValueError, KeyError, TypeError):
        return False
