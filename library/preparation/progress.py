"""Show how far a conversion is, with images/s and the time left, where somebody looks."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from library.console import redraw


@contextlib.contextmanager
def announced(what: str) -> Iterator[None]:
    """Show on a terminal what cannot tell how far it is, as long as it lasts."""
    shown = sys.stderr.isatty()
    if shown:
        redraw(what, sys.stderr)
    try:
        yield
    finally:
        if shown:
            redraw('', sys.stderr)


@contextlib.contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], object]]:
    """Show a bar on a terminal from the start; a log file gets none.

    Args:
      what: is done to the images.
      total: how many images there are.

    Yields:
      What to call with the number of images that were done since the last call.
    """
    if not sys.stderr.isatty():
        yield lambda images: None
        return
    # Late: who writes into a log file needs no bar, and no time for its import.
    import tqdm

    with tqdm.tqdm(total=total, unit=' images', desc=what) as bar:
        yield bar.update
