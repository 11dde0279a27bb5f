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


@contextmanager
def running(*words: object, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run `python WORDS...` in the project's folder; kill it, with all its children, at the end.

    Without the kill a test that fails while the program runs would wait for it for ever.

    Args:
      *words: Arguments of Python.
      **options: Those of Popen.
    """
    command = [sys.executable, *map(str, words)]
    given = {'cwd': ROOT, 'text': True, **options}
    # A session of its own, so that its children are known as its group.
    with subprocess.Popen(command, start_new_session=True, **given) as process:
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
