"""Let one process at a time into a folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator

from library import files
from library.errors import ResourceError

LOCK = '.lock'


@contextlib.contextmanager
def locked(folder: str, when_held: Callable[[str], None]) -> Iterator[None]:
    """Hold the folder's lock; the system frees it when the process ends, however it ends.

    Remote folders have no locks.

    Args:
      folder: is made if it is not there.
      when_held: called with the process that holds the lock; raises, or lets this one wait.
    """
    files.make_folder(folder)
    if files.is_remote(folder):
        yield
        return
    with open(os.path.join(folder, LOCK), 'a+') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            when_held(lock.read().strip() or 'unknown')
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write(f'{os.getpid()}\n')
        lock.flush()
        yield


@contextlib.contextmanager
def only_trainer(model_dir: str) -> Iterator[None]:
    """Hold the folder's lock while a run trains in it.

    Raises:
      ResourceError: another process holds the lock.
    """

    def refuse(holder: str) -> None:
        raise ResourceError(f'{model_dir}: another run (process {holder}) uses this folder')

    with locked(model_dir, refuse):
        yield
