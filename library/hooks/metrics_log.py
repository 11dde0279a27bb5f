"""Log what is watched as lines of JSON, for programs to read: metrics.jsonl."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import tensorflow as tf

from library import files
from library.hooks.every_steps import EveryStepsHook
from library.hooks.watched import watched

METRICS = 'metrics.jsonl'


class MetricsLogHook(EveryStepsHook):
    """Append {'step', 'time', and all that is watched} at every step that a number divides.

    Stands before the saver in the list of hooks: the line of a step is there once its checkpoint
    is. Lines beyond the checkpoint that a run goes on from are dropped, as they come again.
    """

    def __init__(self, model_dir: str, every_steps: int):
        """Make the hook.

        Args:
          model_dir: the run's folder, local or remote.
          every_steps: steps from one line to the next.
        """
        super().__init__(every_steps)
        self._model_dir = model_dir
        self._path = files.join(model_dir, METRICS)

    def begin(self) -> None:
        """Find the tensors."""
        super().begin()
        self.tensors = watched()

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Drop what will come again, and a line that a kill cut off."""
        super().after_create_session(session, coord)
        files.make_folder(self._model_dir)
        if files.exists(self._path):
            lines = files.read_bytes(self._path).splitlines(keepends=True)
            kept = [line for line in lines if _is_until(self.step, line)]
            if kept != lines:
                files.write_atomically(self._path, b''.join(kept))

    def tell(self, values: Any) -> None:
        """Write the line."""
        time = datetime.now(UTC).isoformat(timespec='milliseconds')
        plain = {name: _plain(value) for name, value in values.items()}
        line = json.dumps({'step': self.step, 'time': time} | plain, allow_nan=False)
        with tf.io.gfile.GFile(self._path, 'a') as file:
            file.write(f'{line}\n')


def _plain(value: Any) -> float | None:
    """Give a float32 as the shortest number that means it (0.001, not 0.0010000000475)."""
    return float(str(value)) if math.isfinite(value) else None


def _is_until(step: int, line: bytes) -> bool:
    try:
        return line.endswith(b'\n') and json.loads(line)['step'] <= step
    except (ValueError, KeyError, TypeError):
        return False
