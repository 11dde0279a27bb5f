"""Warn where steps fail to come although no task is lost."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import tensorflow as tf

from library.console import log


class StalledHook(tf.estimator.SessionRunHook):
    """Warns once of each step that takes longer than a limit: somebody may hang.

    It ends nobody. A task whose disk or driver hangs answers as one that takes long to save does,
    and only a person can tell which of the two it is.
    """

    def __init__(self, limit: float) -> None:
        """Make the hook; `limit` is in seconds."""
        self._limit = limit

    def after_create_session(self, session: Any, coord: tf.train.Coordinator) -> None:
        """Start the clock."""
        self._last = time.monotonic()
        threading.Thread(target=self._watch, args=[coord], name='stalled', daemon=True).start()

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Start the clock again."""
        self._last = time.monotonic()

    def _watch(self, coord: tf.train.Coordinator) -> None:
        warned_of = None
        while not coord.wait_for_stop(self._limit / 4):
            last = self._last
            if time.monotonic() - last > self._limit and last != warned_of:
                warned_of = last
                log(
                    f'warning: no step for {self._limit:g} s, although no task is lost; one of '
                    'them may be saving, or hang',
                    sys.stderr,
                )
