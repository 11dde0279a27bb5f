"""A stand-in for the server of a task that trains, as far as others see."""

from __future__ import annotations

import socketserver
import threading

# The head of an HTTP/2 SETTINGS frame, with which each server begins.
GREETING = b'\0\0\0\4\0\0\0\0\0'


class _Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(GREETING)


class _Server(socketserver.TCPServer):
    allow_reuse_address = True


class GreetingServer:
    """Greets at a task's address, as TensorFlow's server does, until it is closed."""

    def __init__(self, task):
        self._server = _Server(('', int(task.address.rpartition(':')[2])), _Handler)
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
