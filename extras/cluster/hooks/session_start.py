"""Let workers wait until the session of the chief has started."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from library.errors import ResourceError

# How often a task that waits looks.
LOOK_SECONDS = 0.2


class ReportStartHook(tf.estimator.SessionRunHook):
    """Reports once the session is there, and all variables with it."""

    def __init__(self, report: Callable[[], None]):
        self._report = report

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Report it."""
        self._report()


class AwaitStartHook(tf.estimator.SessionRunHook):
    """Holds a worker back until the chief's session is there, its own graph being ready by then.

    TensorFlow, where it finds no variables yet, looks again only after half a minute.
    """

    def __init__(self, has_started: Callable[[], bool], check: Callable[[], None]):
        """Make the hook.

        Args:
          has_started: returns whether the wait is over.
          check: is called again and again, and may raise to end it.
        """
        self._has_started = has_started
        self._check = check

    def begin(self) -> None:
        """Wait."""
        while not self._has_started():
            self._check()
            time.sleep(LOOK_SECONDS)


class OneSessionHook(tf.estimator.SessionRunHook):
    """Ends a task whose session was lost, where TensorFlow would make it a new one.

    That one would go on from the last checkpoint, and the tasks with which it sums up would not.
    """

    def __init__(self, patience: float, is_asked: Callable[[], bool]) -> None:
        """Make the hook.

        Args:
          patience: seconds in which the watchdog of the other tasks may find out, and say, which of
            them was lost.
          is_asked: returns whether this task should end at once.
        """
        self._patience, self._is_asked = patience, is_asked
        self._has_session = False

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Raise ResourceError when it is called a second time."""
        if self._has_session:
            last = time.monotonic() + self._patience
            while time.monotonic() < last and not self._is_asked():
                time.sleep(LOOK_SECONDS)
            raise ResourceError(
                'the session was lost, by a failure of storage or network; start all tasks again, '
                'and the run goes on from its last checkpoint'
            )
        self._has_session = True
