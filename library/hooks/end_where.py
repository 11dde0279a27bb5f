"""End training after the step in which a condition became true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


class EndWhereHook(tf.estimator.SessionRunHook):
    """End training; the saver then saves. Must come after the saver, which may evaluate."""

    def __init__(self, is_end: Callable[[], bool]):
        """Make the hook; `is_end` is asked after every step."""
        self._is_end = is_end

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Ask the session to stop."""
        if self._is_end():
            run_context.request_stop()
