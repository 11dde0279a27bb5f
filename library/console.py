"""Text to lines of their own on a terminal or in a log; imports no TensorFlow."""

from __future__ import annotations

import sys
from typing import TextIO

# To the line's begin, and all of it away: a progress line may stand there.
_ERASE = '\r\033[K'


def log(text: str, stream: TextIO | None = None) -> None:
    """Prints a line of its own, over a progress line that may stand there; None is stdout."""
    stream = stream or sys.stdout
    print(f'{_ERASE}{text}' if stream.isatty() else text, file=stream, flush=True)


def redraw(text: str, stream: TextIO) -> None:
    """Shows a line which the next one takes the place of on a terminal, and follows in a log."""
    if stream.isatty():
        print(f'{_ERASE}{text}', end='', file=stream, flush=True)
    else:
        log(text, stream)
