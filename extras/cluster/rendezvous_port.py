"""Answer at a task's own port, before TensorFlow takes it: one line of JSON.

Imports no TensorFlow. The line says which task it is and how far it is. TensorFlow's own server, of
a task that trains already, greets whoever connects as HTTP/2 asks for. What lets connect and says
nothing is no sign of life: the system does so for a process that is frozen.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from dataclasses import dataclass

from extras.cluster.tasks import Task
from library.errors import ResourceError

# What a port says.
PREPARING, WAITING, READY = STATES = 'preparing', 'waiting', 'ready'
# What is found where no such port answers: nobody, a process that says nothing, TensorFlow.
UNREACHABLE, SILENT, RUNNING = 'unreachable', 'silent', 'running'
# A server's first frame (RFC 9113, 3.4 and 6.5): three bytes of length, then this type.
_SETTINGS = b'\x04'
# Longer than any line of a port.
_MOST_BYTES = 512
# Seconds within which a port is free after it was closed.
_LOOK = 0.1


@dataclass(frozen=True)
class Answer:
    """What an address answered.

    Attributes:
      state: one of the names above.
      task: the task's own name, such as 'worker 1'; '' where no such port answered.
      devices: on how many it trains; 0 where no such port answered.
    """

    state: str
    task: str = ''
    devices: int = 0

    @property
    def is_there(self) -> bool:
        """Return True if the task said anything."""
        return self.state not in (UNREACHABLE, SILENT)

    @property
    def is_before_training(self) -> bool:
        """Return True if the task has not begun to train."""
        return self.state in STATES


class RendezvousPort:
    """The own port of a task until TensorFlow takes it; as a context it closes at the end.

    Attributes:
      state: what it says; may be set at any time.
      devices: on how many this process trains.
    """

    def __init__(self, task: Task, state: str = WAITING, devices: int = 1) -> None:
        """Open it on all interfaces.

        Args:
          task: this process.
          state: what it says first.
          devices: on how many this process trains; the workers must agree on it.

        Raises:
          ResourceError: the port is taken.
        """
        self.state, self.devices = state, devices
        self._name, self._is_over = task.name, threading.Event()
        port = int(task.address.rpartition(':')[2])
        try:
            listener = listener_at(port)
        except OSError as error:
            raise ResourceError(
                f'port {port} of {task} is not available: {os.strerror(error.errno or 0).lower()}; '
                'end what uses it, or give all tasks another one in TF_CONFIG'
            ) from None
        # A wait without an end would keep the port beyond a close.
        listener.settimeout(_LOOK)
        self._thread = threading.Thread(
            target=self._serve, args=[listener], name='rendezvous', daemon=True
        )
        self._thread.start()

    def __enter__(self) -> RendezvousPort:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the port; more than once does no harm."""
        self._is_over.set()
        self._thread.join()

    def _serve(self, listener: socket.socket) -> None:
        with listener:
            while not self._is_over.is_set():
                # No visitor, or one who is gone, or who leaves in the middle.
                with contextlib.suppress(OSError):
                    self._answer(listener.accept()[0])

    def _answer(self, visitor: socket.socket) -> None:
        with visitor:
            # The line is short enough for the system to take it at once, even if nobody reads.
            visitor.setblocking(False)
            content = {'task': self._name, 'state': self.state, 'devices': self.devices}
            visitor.send(f'{json.dumps(content)}\n'.encode())
            visitor.shutdown(socket.SHUT_WR)


def listener_at(port: int) -> socket.socket:
    """Take a port of this machine on all interfaces, as TensorFlow's server does.

    Raises:
      OSError: it is taken.
    """
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    # It sets SO_REUSEADDR: the port can be had again at once, and never twice.
    return socket.create_server(('', port), family=family, backlog=128, dualstack_ipv6=both)


def ask(address: str, timeout: float = 1.0) -> Answer:
    """Ask one address what stands there; never raises.

    Args:
      address: host:port.
      timeout: seconds for the connection, and again for the line.
    """
    host, _, port = address.rpartition(':')
    try:
        connection = socket.create_connection((host.strip('[]'), int(port)), timeout)
    except (OSError, UnicodeError):
        return Answer(UNREACHABLE)
    with connection:
        # A connection from this machine to a port where nobody listens may meet itself.
        with contextlib.suppress(OSError):
            if connection.getsockname() == connection.getpeername():
                return Answer(UNREACHABLE)
        return _understood(_line(connection, time.monotonic() + timeout))


def _line(connection: socket.socket, deadline: float) -> bytes:
    """Read what is said until the end of a line, the connection's end or the deadline."""
    text = b''
    with contextlib.suppress(OSError):
        while len(text) < _MOST_BYTES and b'\n' not in text:
            connection.settimeout(max(deadline - time.monotonic(), 0.01))
            piece = connection.recv(_MOST_BYTES)
            if not piece:
                break
            text += piece
    return text


def _understood(text: bytes) -> Answer:
    """Return what a port says, RUNNING if it is TensorFlow's, and SILENT if it is neither."""
    if text[3:4] == _SETTINGS:
        return Answer(RUNNING)
    try:
        content = json.loads(text)
        answer = Answer(content['state'], str(content['task']), int(content['devices']))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return Answer(SILENT)
    # The name is shown to people, on terminals.
    is_ours = answer.is_before_training and answer.task.isprintable()
    return answer if is_ours else Answer(SILENT)
