"""Show, save and end training where several tasks count its steps."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from library.checkpoints.saver import SaveWhereDueHook
from library.hooks.progress import ProgressHook


class SharedProgressHook(ProgressHook):
    """Shows the speed of all tasks together, with all that they wait for."""

    def _steps_per_second(self, steps: int, seconds: float) -> float:
        return steps / seconds


class SaveSharedStepsHook(SaveWhereDueHook):
    """Saves where a step was due, of which several may have passed after each of its own."""

    def _may_skip(self, step: int, waited: float) -> bool:
        return False


class EndAtStepHook(tf.estimator.SessionRunHook):
    """Ends training once all tasks that count steps have come to the last one together.

    The Estimator's own hook reads the count in parallel to the step that changes it, and may see
    the old count: each task would then take one step too many.
    """

    def __init__(self, last_step: int):
        self._last_step = last_step

    def begin(self) -> None:
        """Find the count."""
        self._step = tf.compat.v1.train.get_global_step()

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Ask for the count, and the session to stop."""
        if run_context.session.run(self._step) >= self._last_step:
            run_context.request_stop()
