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
import time
from collections.abc import Callable

from library.console import log

_ENDING = (signal.SIGTERM, signal.SIGINT)
# What tells the thread that it is not needed any more; there is no signal of this number.
_NO_SIGNAL = b'\0'
_LOOK = 0.2
# Seconds for the last line: a pipe that nobody reads takes none, and another thread may hold it.
_LAST_WORDS = 2.0
# Seconds in which Python can serve a signal at all: a long step, or a checkpoint on its way to a
# bucket, must be over first. Where a peer is lost, --peer_timeout ends the process anyway.
_GRACE = 30.0
# Seconds for all until the end: the checkpoint that the signal asks for, however busy the others
# are. A little less than the 120 s after which the job files let the process be killed.
_PATIENCE = 110.0
_KEPT = 'what was saved before is kept'


def end_process(line: str, status: int) -> None:
    """Say a last line on stderr and end the process, whatever its other threads do."""
    try:
        last = threading.Thread(target=_say_last, args=(line,), daemon=True)
        last.start()
        last.join(_LAST_WORDS)
    # No thread can be had, for one.
    finally:
        os._exit(status)


def _say_last(line: str) -> None:
    # Whatever the streams are by now: closed, gone, pipes without a reader.
    with contextlib.suppress(Exception):
        log(line, sys.stderr)
    with contextlib.suppress(Exception):
        sys.stdout.flush()


class LateSignals:
    """As a context, gives the main thread a time to serve a signal; entered in the main thread."""

    def __init__(
        self,
        handled: Callable[[], bool],
        grace: float = _GRACE,
        patience: float = _PATIENCE,
        end: Callable[[str, int], None] = end_process,
    ) -> None:
        """Make it.

        Args:
          handled: whether the main thread has begun to serve the signal.
          grace: seconds within which it must begin.
          patience: seconds within which it must come to its end, from the signal on.
          end: ends the process with a line and a status.
        """
        self._handled, self._grace, self._patience, self._end = handled, grace, patience, end

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
        came = 0.0
        self._reader.settimeout(None)
        while True:
            try:
                numbers = self._reader.recv(64)
            except TimeoutError:
                numbers = b''
            if _NO_SIGNAL in numbers:
                return
            for number in (each for each in numbers if each in _ENDING):
                if first is not None:
                    self._leave(number, 'at once')
                    return
                first, came = number, time.monotonic()
                self._reader.settimeout(_LOOK)
            limit = self._patience if self._handled() else self._grace
            if first is not None and time.monotonic() - came > limit:
                self._leave(first, f'after {limit:g} s while TensorFlow was at work or waiting')
                return

    def _leave(self, number: int, how: str) -> None:
        name = signal.Signals(number).name
        self._end(f'error: stopped by {name} {how}; {_KEPT}', 128 + number)
