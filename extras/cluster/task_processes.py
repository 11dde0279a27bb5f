"""Run the tasks of a cluster as processes of this machine: their output and their end.

Imports no TensorFlow.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import IO

from extras.cluster.tasks import Task
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
    """A running task, each of whose lines is printed with its name in front."""

    def __init__(
        self,
        command: Sequence[str],
        cluster: dict[str, list[str]],
        job: str,
        index: int,
        gpus: str = '',
    ) -> None:
        """Start the task.

        Args:
          command: for this Python.
          cluster: by job the addresses of its tasks.
          job, index: which task it is.
          gpus: those that it may use, as CUDA_VISIBLE_DEVICES names them; '' for none.
        """
        self.name, self.job = Task(job, index, '').name, job
        # True once it was asked to end: its status then means nothing.
        self.is_asked = False
        config = {'cluster': cluster, 'task': {'type': job, 'index': index}}
        # Nothing is left running where this process is killed.
        tied = ['-c', _TIED, str(os.getpid())] if sys.platform == 'linux' else []
        self._popen = subprocess.Popen(
            [sys.executable, *tied, *command],
            env={
                **os.environ,
                TF_CONFIG: json.dumps(config),
                VISIBLE_GPUS: gpus,
                'PYTHONUNBUFFERED': '1',
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors='backslashreplace',
            # Ctrl-C reaches the parent alone, which passes it on once.
            start_new_session=True,
        )
        assert self._popen.stdout is not None
        assert self._popen.stderr is not None
        self._readers = [
            threading.Thread(target=self._pass_on, args=streams, daemon=True)
            for streams in ((self._popen.stdout, sys.stdout), (self._popen.stderr, sys.stderr))
        ]
        for reader in self._readers:
            reader.start()

    @property
    def status(self) -> int | None:
        """Return the exit status, 128 + n for signal n; None while it runs."""
        status = self._popen.poll()
        return 128 - status if status is not None and status < 0 else status

    def send(self, number: int) -> None:
        """Send a signal if the task still runs."""
        self._popen.send_signal(number)

    def close(self) -> None:
        """End the task at once with all that it started, and print its last lines."""
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
                    target.write(f'{self.name}: {line.rstrip()}\n')
                    target.flush()


class Supervisor:
    """Wait for the tasks, and end those that outlive their time."""

    def __init__(self, processes: Sequence[TaskProcess], grace: float) -> None:
        """Start watching the tasks.

        Args:
          processes: all tasks.
          grace: seconds that the others have to end by themselves, once one has failed.
        """
        self._processes, self._grace = processes, grace
        self._limit: float | None = None
        self._status = 0

    def wait(self, came: list[int]) -> int:
        """Wait until all have ended.

        Args:
          came: signals are added here; each is passed on to all tasks.

        Returns:
          The status of the first that failed, otherwise 0.
        """
        while self._running():
            while came:
                number = came.pop(0)
                for process in self._running():
                    process.send(number)
                self._give(_PATIENCE)
            self._look()
            time.sleep(_LOOK)
        self._look()
        return self._status

    def _look(self) -> None:
        failed = [each for each in self._processes if each.status and not each.is_asked]
        if failed and not self._status:
            self._status = failed[0].status or 0
            # After a signal from outside all end, and there is a limit already.
            if self._limit is None:
                self._log(f'{failed[0].name} ended with exit code {self._status}')
                self._give(self._grace)
        elif all(each.status == 0 for each in self._processes if each.job != PS):
            self._give(min(_PS_GRACE, self._grace))
        if self._limit is not None and time.monotonic() > self._limit:
            for process in self._running():
                process.send(signal.SIGKILL if process.is_asked else signal.SIGTERM)
                process.is_asked = True
            self._limit = time.monotonic() + _PATIENCE

    def _running(self) -> list[TaskProcess]:
        return [each for each in self._processes if each.status is None]

    def _give(self, seconds: float) -> None:
        """Set a time limit, unless there is one already."""
        if self._limit is None:
            self._limit = time.monotonic() + seconds

    def _log(self, text: str) -> None:
        others = f'; the others have {self._grace:g} s to end' if self._running() else ''
        print(f'{text}{others}', file=sys.stderr, flush=True)
