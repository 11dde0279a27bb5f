"""Place variables that each process loads for itself, such as those of a frozen module."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

import tensorflow as tf

_OWN_DEVICE: ContextVar[str | None] = ContextVar('own_device', default=None)


@contextlib.contextmanager
def own_device_is(device: str) -> Iterator[None]:
    """Name the device of this process while a graph is built whose variables others hold.

    Args:
      device: as TensorFlow names it, such as '/job:worker/task:1'.
    """
    token = _OWN_DEVICE.set(device)
    try:
        yield
    finally:
        _OWN_DEVICE.reset(token)


def own_device() -> contextlib.AbstractContextManager[object]:
    """Return where variables stay that no other process shares.

    Where other processes hold the variables of a training graph, it would otherwise put them there,
    and fetch them in every step.
    """
    device = _OWN_DEVICE.get()
    return contextlib.nullcontext() if device is None else tf.device(device)
