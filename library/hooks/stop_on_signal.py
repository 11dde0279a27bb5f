"""SIGTERM and SIGINT end a run after a checkpoint; a second signal ends it at once."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

import tensorflow as tf

from library.errors import Stopped
from library.hooks.progress import say

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Remembers the signal that came; as a context it listens, and puts things back after."""

    def __init__(self, way_on: str = 'the same command goes on from there') -> None:
        """Makes the request.

        Args:
          way_on: what a person is told who wants to go on, as a clause.
        """
        self._way_on = way_on
        self.signal_number: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *exception: object) -> None:
        self._restore()

    def raise_if_asked(self) -> None:
        """Raises Stopped if a signal came."""
        if self.signal_number is not None:
            name = signal.Signals(self.signal_number).name
            raise Stopped(
                self.signal_number,
                f'stopped by {name} after a checkpoint; {self._way_on}',
            )

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal_number = number
        self._restore()
        say(f'{signal.Signals(number).name}: saving a checkpoint (once more stops at once)')

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


class StopTrainingHook(tf.estimator.SessionRunHook):
    """Ends training after the step in which the signal came; the saver then saves."""

    def __init__(self, request: StopRequest):
        self._request = request

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Asks the session to stop."""
        if self._request.signal_number is not None:
            run_context.request_stop()


class StopEvaluationHook(tf.estimator.SessionRunHook):
    """Breaks an evaluation off; its checkpoint is on disk, and it is made up for on resume."""

    def __init__(self, request: StopRequest):
        self._request = request

    def begin(self) -> None:
        """Does not even start after a signal."""
        self._request.raise_if_asked()

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Raises Stopped if a signal came."""
        self._request.raise_if_asked()
