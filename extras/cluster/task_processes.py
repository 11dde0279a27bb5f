"""Run the tasks of a cluster as processes of this machine: their lines, and their end.

Imports no TensorFlow.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import IO

from extras.cluster.tasks import Cluster
from extras.cluster.tf_config import PS, TF_CONFIG

VISIBLE_GPUS = 'CUDA_VISIBLE_DEVICES'
# Seconds that parameter servers have to end by themselves, where all others are done.
_PS_GRACE = 5.0
# Seconds from a request to end to one that cannot be refused: a task may take long to save.
_PATIENCE = 120.0
_LOOK = 0.05
# Ties a program to its parent's life, and becomes it; Linux alone can. 1 is PR_SET_PDEATHSIG.
_TIED = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


class TaskProcess:
    """One task that runs; each line that it prints is passed on with its name before it."""

    def __init__(self, command: Sequence[str], cluster: Cluster, gpus: str = '') -> None:
        """Start it.

        Args:
          command: for this Python.
          cluster: as this task sees it.
          gpus: those that it may use, as CUDA_VISIBLE_DEVICES names them; '' for none.
        """
        self.task = cluster.own
        # True once it was asked to end: its status then tells nothing.
        self.is_asked = False
        # So nothing is left where this process is killed.
        tied = ['-c', _TIED, str(os.getpid())] if sys.platform == 'linux' else []
        own = {TF_CONFIG: cluster.as_tf_config(), VISIBLE_GPUS: gpus, 'PYTHONUNBUFFERED': '1'}
        self._popen = subprocess.Popen(
            [sys.executable, *tied, *command],
            env={**os.environ, **own},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors='backslashreplace',
            # Ctrl-C reaches the parent alone, which passes it on once.
            start_new_session=True,
        )
        streams = ((self._popen.stdout, sys.stdout), (self._popen.stderr, sys.stderr))
        self._readers = [
            threading.Thread(target=self._pass_on, args=each, daemon=True) for each in streams
        ]
        for reader in self._readers:
            reader.start()

    @property
    def status(self) -> int | None:
        """Return the exit status, 128 + n for signal n; None while it runs."""
        status = self._popen.poll()
        return 128 - status if status is not None and status < 0 else status

    def send(self, number: int) -> None:
        """Send a signal, if it still runs."""
        self._popen.send_signal(number)

    def close(self) -> None:
        """End it at once if it still runs, with what it started, and pass on its last lines."""
        if self.status is None:
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        for reader in self._readers:
            reader.join(_PS_GRACE)

    def _pass_on(self, source: IO[str], target: IO[str]) -> None:
        with source:
            for line in source:
                # Where nobody reads any more, the task must not wait for a reader.
                with contextlib.suppress(OSError):
                    # One write for each line, so that those of several tasks do not mix.
                    target.write(f'{self.task.name}: {line.rstrip()}\n')
                    target.flush()


def supervise(processes: Sequence[TaskProcess], grace: float, came: list[int]) -> int:
    """Wait until all tasks have ended, and end those that outlive their time.

    Args:
      processes: all tasks.
      grace: seconds that the others have to end by themselves, once one has failed.
      came: signals are added here; each is passed on to all tasks.

    Returns:
      The status of the first that failed, else 0.
    """
    status, limit = 0, None
    while True:
        # In this order: whoever ends meanwhile is looked at once more.
        running = [each for each in processes if each.status is None]
        while came:
            number = came.pop(0)
            for each in running:
                each.send(number)
            limit = limit or time.monotonic() + _PATIENCE
        failed = next((each for each in processes if each.status and not each.is_asked), None)
        if failed and not status:
            status = failed.status or 0
            # After a signal from outside all end, and there is a limit already.
            if limit is None:
                others = f'; the others have {grace:g} s to end' if set(running) - {failed} else ''
                said = f'{failed.task.name} ended with exit code {status}{others}'
                print(said, file=sys.stderr, flush=True)
                limit = time.monotonic() + grace
        elif all(each.status == 0 for each in processes if each.task.job != PS):
            limit = limit or time.monotonic() + min(_PS_GRACE, grace)
        if not running:
            return status
        if limit is not None and time.monotonic() > limit:
            for each in running:
                each.send(signal.SIGKILL if each.is_asked else signal.SIGTERM)
                each.is_asked = True
            limit = time.monotonic() + _PATIENCE
        time.sleep(_LOOK)
