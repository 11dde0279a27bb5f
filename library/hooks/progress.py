"""Show in one line how far training is, how well, how fast, and for how long yet."""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

import tensorflow as tf

from library.console import redraw

# A terminal's line is redrawn this often; a log file gets a new line this often.
TERMINAL_SECONDS = 0.5
LOG_SECONDS = 30.0


class ProgressHook(tf.estimator.SessionRunHook):
    """Show step of total, loss, examples/s and time left.

    The speed counts the training steps alone; the time left counts evaluations too.
    """

    def __init__(
        self,
        total_steps: int,
        batch_size: int,
        stream: TextIO | None = None,
    ):
        """Make the hook.

        Args:
          total_steps: where the run ends.
          batch_size: examples of a step.
          stream: where the line is shown; None is stderr.
        """
        self._total = total_steps
        self._batch_size = batch_size
        self._stream = stream or sys.stderr
        self._interval = TERMINAL_SECONDS if self._stream.isatty() else LOG_SECONDS

    def begin(self) -> None:
        """Find the tensors to watch."""
        self._step_tensor = tf.compat.v1.train.get_global_step()
        # The Estimator adds the training loss as the last of this collection.
        self._loss_tensor = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.LOSSES)[-1]

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Start the clock."""
        self._step = self._first_step = int(session.run(self._step_tensor))
        self._started = self._shown = time.monotonic()
        self._is_first = True
        self._busy = 0.0
        self._busy_steps = 0

    def before_run(self, run_context: Any) -> Any:
        """Ask for the loss only when a line is due: each fetch waits for the device."""
        self._run_started = time.monotonic()
        self._is_time = self._run_started - self._shown >= self._interval
        if self._is_time or self._step + 1 >= self._total:
            return tf.estimator.SessionRunArgs(self._loss_tensor)
        return None

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Count, and show the line if it is due."""
        now = time.monotonic()
        self._step += 1
        if not self._is_first:  # the first step also builds and fills the input pipeline
            self._busy += now - self._run_started
            self._busy_steps += 1
        self._is_first = False
        if run_values.results is None:
            return
        # A dynamic loss scale leaves out steps, which the graph does not count.
        self._step = int(run_context.session.run(self._step_tensor))
        if self._is_time or self._step >= self._total:
            self._shown = now
            self._show(run_values.results, now)

    def end(self, session: Any) -> None:
        """Leave the line standing."""
        if self._stream.isatty():
            print(file=self._stream)

    def _show(self, loss: float, now: float) -> None:
        step, steps = self._step, self._step - self._first_step
        parts = [f'step {step}/{self._total}', f'{100 * step // self._total} %', f'loss {loss:.4f}']
        if self._busy_steps:
            rate = self._steps_per_second(steps, now - self._started)
            parts.append(f'{rate * self._batch_size:.0f} examples/s')
        if self._busy_steps and steps:
            left = (self._total - step) * (now - self._started) / steps
            parts.append(f'{clock(left)} left')
        redraw('  '.join(parts), self._stream)

    def _steps_per_second(self, steps: int, seconds: float) -> float:
        """Return the speed of training alone, of all that was done since the start.

        Args:
          steps: since the start.
          seconds: that they took, evaluations included.
        """
        return self._busy_steps / self._busy


def clock(seconds: float) -> str:
    """Format seconds as 0:42, 12:05 or 3:07:00."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f'{hours}:{minutes:02}:{rest:02}' if hours else f'{minutes}:{rest:02}'
