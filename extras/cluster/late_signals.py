"""End the process on a signal that comes while TensorFlow waits, and Python cannot serve it.

Imports no TensorFlow. Python calls a handler in the main thread only, and only between two of its
own instructions. While the main thread is inside of TensorFlow, which may wait there for a peer
that is gone, a signal would do nothing. The system's own part of the handler writes the signal's
number where a thread of ours reads it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable

from library.console import log

_ENDING = (signal.SIGTERM, signal.SIGINT)
# Tells the thread that it is not needed any more; there is no signal of this number.
_NO_SIGNAL = b'\0'
# Seconds for the last line: a pipe that nobody reads takes none, and another thread may hold it.
_LAST_WORDS = 2.0
# Seconds until the end: a long step, and the checkpoint that the signal asks for, however busy the
# others are. A little less than the 120 s after which the job files let the process be killed.
# Where a peer is lost, --peer_timeout ends the process anyway.
_PATIENCE = 110.0
_KEPT = 'what was saved before is kept'


def end_process(line: str, status: int) -> None:
    """Say a last line on stderr and end the process, whatever its other threads do."""
    try:
        last = threading.Thread(target=_say_last, args=(line,), daemon=True)
        last.start()
        last.join(_LAST_WORDS)
    # For example, no thread could be started.
    finally:
        os._exit(status)


def _say_last(line: str) -> None:
    # The streams may by now be closed, gone, or pipes without a reader.
    with contextlib.suppress(Exception):
        log(line, sys.stderr)
    with contextlib.suppress(Exception):
        sys.stdout.flush()


class LateSignals:
    """As a context, gives a process a time to end by a signal; entered in the main thread."""

    def __init__(
        self, patience: float = _PATIENCE, end: Callable[[str, int], None] = end_process
    ) -> None:
        """Make it.

        Args:
          patience: seconds within which the process must come to its end, from the signal on.
          end: ends the process with a line and a status.
        """
        self._patience, self._end = patience, end

    def __enter__(self) -> LateSignals:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._watch, name='late signals', daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        signal.set_wakeup_fd(self._before)
        self._writer.setblocking(True)
        self._writer.send(_NO_SIGNAL)
        self._thread.join()
        self._reader.close()
        self._writer.close()

    def _watch(self) -> None:
        first: int | None = None
        self._reader.settimeout(None)
        while True:
            try:
                numbers = self._reader.recv(64)
            except TimeoutError:
                how = f'after {self._patience:g} s while TensorFlow was at work or waiting'
                return self._leave(first or 0, how)
            if _NO_SIGNAL in numbers:
                return None
            for number in (each for each in numbers if each in _ENDING):
                if first is not None:
                    return self._leave(number, 'at once')
                first = number
                self._reader.settimeout(self._patience)

    def _leave(self, number: int, how: str) -> None:
        name = signal.Signals(number).name
        self._end(f'error: stopped by {name} {how}; {_KEPT}', 128 + number)
