"""Stop a task by a signal, or because another task was stopped."""

from __future__ import annotations

import signal

from library.hooks.stop_on_signal import StopRequest

# What to type where all tasks of a cluster were stopped.
ALL_ON = 'the same command in all tasks goes on from the last checkpoint'


class TaskStopRequest(StopRequest):
    """Remembers the signal that came, here or to another task."""

    _follows = False

    def follow(self) -> None:
        """Stop as if a signal had come: another task was stopped, and so all are."""
        if not self.is_asked:
            self._follows = True
            self._way_on = ALL_ON
            self.signal_number = signal.SIGTERM

    def _cause(self, number: int) -> str:
        return 'together with another task' if self._follows else super()._cause(number)
