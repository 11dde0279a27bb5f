"""Make the tests independent of how they were started.

What a process inherits decides what its children do: where a script starts `make test` in the
background, SIGINT is ignored, and a program that is started there cannot be stopped by it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import MutableMapping

# What a person, a job of a cluster or a hook of git exports, and a program would obey. The devices
# that the tests may use (CUDA_VISIBLE_DEVICES and its like) stay that person's choice.
_OBEYED = ('PYTHON', 'GIT_', 'TF_CONFIG', 'TFHUB_CACHE_DIR')
# Where compiled modules are kept, and the order of a set, change no result.
_KEPT = ('PYTHONPYCACHEPREFIX', 'PYTHONHASHSEED')


def forget_how_it_was_started(environment: MutableMapping[str, str] = os.environ) -> None:
    """Give this process, and with it its children, signals and variables as on a fresh machine."""
    _reset_signals()
    for name in [name for name in environment if name.startswith(_OBEYED)]:
        if name not in _KEPT:
            del environment[name]


def _reset_signals() -> None:
    """Serve again what is ignored or blocked.

    A program that is executed starts with the default where its parent has a handler, and ignores
    what its parent ignores.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT, signal.SIGUSR1, signal.SIGCHLD):
        if signal.getsignal(number) == signal.SIG_IGN:
            # A handler that does nothing: the tests themselves outlive a terminal, as under nohup.
            signal.signal(number, lambda number, frame: None)
