"""Start programs that a test can wait for, signal and never leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# Lets the kernel kill a program as soon as the tests are gone, however they went: a training that
# nobody waits for would go on for ever. 1 is PR_SET_PDEATHSIG; they may have gone before it counts.
_MORTAL = (
    'import ctypes, os, signal, sys; ctypes.CDLL(None).prctl(1, signal.SIGKILL);'
    'os.getppid() == int(sys.argv[1]) or os._exit(1);'
    'os.execv(sys.executable, [sys.executable, *sys.argv[2:]])'
)


def python(*words: object) -> list[str]:
    """Return a command line for `python WORDS...`; on Linux it dies with this process."""
    linux = sys.platform == 'linux'
    mortal = ['-I', '-S', '-c', _MORTAL, str(os.getpid())] if linux else []
    return [sys.executable, *mortal, *map(str, words)]


@contextmanager
def running(*words: object, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run `python WORDS...` in the project's folder; kill it, with all its children, at the end.

    Without the kill a test that fails while the program runs would wait for it for ever.

    Args:
      *words: Arguments of Python.
      **options: Those of Popen.
    """
    given = {'cwd': ROOT, 'text': True, **options}
    # A session of its own, so that its children are known as its group.
    with subprocess.Popen(python(*words), start_new_session=True, **given) as process:
        try:
            yield process
        finally:
            # macOS refuses where nobody but the dead is left.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


def wait_until(is_there: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Return once the condition holds.

    Raises:
      AssertionError: It did not within these seconds; names `what`.
    """
    last = time.monotonic() + seconds
    while not is_there():
        assert time.monotonic() < last, f'{what} did not come within {seconds} s'
        time.sleep(0.01)
