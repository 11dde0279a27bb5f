"""Print lines of their own on a terminal or in a log; imports no TensorFlow."""

from __future__ import annotations

import sys
from typing import TextIO

# To the line's begin, and all of it away: a progress line may stand there.
_ERASE = '\r\033[K'


def log(text: str, stream: TextIO | None = None) -> None:
    """Print a line of its own, over a progress line that may stand there; None is stdout."""
    stream = stream or sys.stdout
    print(f'{_ERASE}{text}' if stream.isatty() else text, file=stream, flush=True)


def redraw(text: str, stream: TextIO) -> None:
    """Show a line that the next one replaces on a terminal, and follows in a log."""
    if stream.isatty():
        print(f'{_ERASE}{text}', end='', file=stream, flush=True)
    else:
        log(text, stream)
