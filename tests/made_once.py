"""Make once, for all workers of pytest-xdist, what many tests only read."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path


def make_once(temporary: Path, name: str, fill: Callable[[Path], object]) -> Path:
    """Return the folder of a name, which the first worker that asks for it has filled.

    Args:
      temporary: Folder of all that this worker makes, in that of all workers.
      name: Name of the folder, which tells it from all others.
      fill: Fills an empty folder; not called where another worker did so.
    """
    root = (temporary.parent if 'PYTEST_XDIST_WORKER' in os.environ else temporary) / 'made_once'
    root.mkdir(exist_ok=True)
    folder, finished = root / name, root / f'{name}.finished'
    with open(root / f'{name}.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            # Another worker may have failed in the middle.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            fill(folder)
            finished.touch()
    return folder
