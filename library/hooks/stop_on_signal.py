"""End a run on SIGTERM or SIGINT after a checkpoint; a second signal ends it at once."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any, Self

import tensorflow as tf

from library.console import log
from library.errors import Stopped

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Remember the signal that came; as a context, listen, and put things back after."""

    def __init__(
        self, way_on: str = 'the same command goes on from there', saves: bool = True
    ) -> None:
        """Make the request.

        Args:
          way_on: how to go on with the run, as a clause for the message.
          saves: a checkpoint is saved before the end.
        """
        self._way_on = way_on
        self._saves = saves
        self.signal_number: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *exception: object) -> None:
        self._restore()

    @property
    def is_asked(self) -> bool:
        """Return True once a signal came."""
        return self.signal_number is not None

    def raise_if_asked(self) -> None:
        """Raise Stopped if a signal came."""
        if self.signal_number is not None:
            after = ' after a checkpoint' if self._saves else ''
            cause = self._cause(self.signal_number)
            raise Stopped(self.signal_number, f'stopped {cause}{after}; {self._way_on}')

    def _cause(self, number: int) -> str:
        """Say what stopped the run, such as 'by SIGTERM'."""
        return f'by {signal.Signals(number).name}'

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal_number = number
        self._restore()
        doing = 'saving a checkpoint' if self._saves else 'coming to an end'
        log(f'{signal.Signals(number).name}: {doing} (once more stops at once)')

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


class StopEvaluationHook(tf.estimator.SessionRunHook):
    """Break an evaluation off; its checkpoint is on disk, and it is made up for on resume."""

    def __init__(self, request: StopRequest):
        self._request = request

    def begin(self) -> None:
        """Raise Stopped after a signal, before the evaluation starts."""
        self._request.raise_if_asked()

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Raise Stopped if a signal came."""
        self._request.raise_if_asked()
