"""What workers do instead of preparing images; a worker that imports this needs no TensorFlow."""

from __future__ import annotations

import os
import signal

from library import files
from library.preparation.workers import prepare_chunk

POISON = b'kills the worker that reads it'


def exit_at_once(contents, encoding):
    os.kill(os.getpid(), signal.SIGKILL)


def die_of_poison(contents, encoding):
    for content in contents:
        if isinstance(content, str) and files.read_bytes(content) == POISON:
            os.kill(os.getpid(), signal.SIGKILL)
    return prepare_chunk(contents, encoding)
