"""Turn Python's warnings off as long as any thread wants that.

Warning filters belong to the whole process: threads whose saves and restores overlap
would leave them in a state that nobody chose.
"""

from __future__ import annotations

import threading
import warnings


class Unwarned:
    """Turn warnings off in a with statement, in any number of threads; the last restores them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._caught = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._caught = warnings.catch_warnings()
                self._caught.__enter__()
                warnings.simplefilter('ignore')
            self._inside += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._caught.__exit__(None, None, None)
