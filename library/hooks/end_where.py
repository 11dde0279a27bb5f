"""Conditions to the end of training, after the step in which they became true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


class EndWhereHook(tf.estimator.SessionRunHook):
    """Ends training; the saver then saves. Must come after the saver, which may evaluate."""

    def __init__(self, is_end: Callable[[], bool]):
        """Makes the hook; `is_end` is asked after every step."""
        self._is_end = is_end

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Asks the session to stop."""
        if self._is_end():
            run_context.request_stop()


class EndAtStepHook(tf.estimator.SessionRunHook):
    """Ends training once all tasks that count steps have come to the last one together.

    The Estimator's own hook reads the count beside the step that changes it, and may see the count
    before: each task would then make a step too many.
    """

    def __init__(self, last_step: int):
        self._last_step = last_step

    def begin(self) -> None:
        """Finds the count."""
        self._step = tf.compat.v1.train.get_global_step()

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Asks for the count, and the session to stop."""
        if run_context.session.run(self._step) >= self._last_step:
            run_context.request_stop()
