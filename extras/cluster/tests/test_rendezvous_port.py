"""A task's port tells who stands there, whoever asks and however rudely."""

import json
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from extras.cluster.local_cluster import free_addresses
from extras.cluster.rendezvous_port import (
    PREPARING,
    READY,
    RUNNING,
    SILENT,
    UNREACHABLE,
    WAITING,
    Answer,
    RendezvousPort,
    ask,
)
from extras.cluster.tasks import Task
from extras.cluster.tests.greeting import GREETING
from library.errors import ResourceError
from tests.processes import running

pytestmark = pytest.mark.unit


@pytest.fixture
def task():
    return Task('worker', 1, free_addresses(1)[0])


def port_of(task):
    return int(task.address.rpartition(':')[2])


@pytest.fixture
def stranger(task):
    """Lets connect at the task's address, and sends what it is told to."""
    answers = []
    listener = socket.create_server(('', port_of(task)))
    kept = []

    def serve():
        while True:
            try:
                visitor, _ = listener.accept()
            except OSError:
                return
            kept.append(visitor)
            for answer in answers:
                visitor.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield answers
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)
    for each in kept:
        each.close()


def test_a_door_tells_its_task_and_state(task):
    with RendezvousPort(task, PREPARING, devices=4) as port:
        assert ask(task.address) == Answer(PREPARING, 'worker 1', 4)
        for state in (WAITING, READY):
            port.state = state
            assert ask(task.address) == Answer(state, 'worker 1', 4)
            assert ask(task.address).is_before_training


@pytest.mark.parametrize('host', ['127.0.0.1', 'localhost', '[::1]'])
def test_a_door_opens_on_all_interfaces(task, host):
    if host == '[::1]' and not socket.has_dualstack_ipv6():
        pytest.skip('this machine has no IPv6')
    with RendezvousPort(task):
        assert ask(f'{host}:{port_of(task)}').state == WAITING


def test_what_is_sent_is_one_line(task):
    with (
        RendezvousPort(task),
        socket.create_connection(('localhost', port_of(task))) as connection,
        connection.makefile() as lines,
    ):
        text = lines.read()
    assert text.endswith('}\n')
    assert json.loads(text) == {'task': 'worker 1', 'state': 'waiting', 'devices': 1}


def test_a_closed_door_frees_its_port_at_once(task):
    for _ in range(3):
        port = RendezvousPort(task)
        assert ask(task.address).is_before_training
        port.close()
        port.close()
        assert ask(task.address) == Answer(UNREACHABLE)


def test_a_port_that_is_taken_is_reported(task):
    with RendezvousPort(task), pytest.raises(ResourceError) as caught:
        RendezvousPort(task)
    assert str(caught.value) == (
        f'port {port_of(task)} of worker 1 ({task.address}) is not available: address already in '
        'use; end what uses it, or give all tasks another one in TF_CONFIG'
    )


def test_a_port_that_another_takes_on_one_interface_is_taken(task):
    with socket.create_server(('127.0.0.1', port_of(task))), pytest.raises(ResourceError):
        RendezvousPort(task)


def test_rude_visitors_do_no_harm(task):
    with RendezvousPort(task):
        silent = [socket.create_connection(('localhost', port_of(task))) for _ in range(20)]
        loud = socket.create_connection(('localhost', port_of(task)))
        loud.sendall(b'GET / HTTP/1.1\r\n\r\n' * 1000)
        for _ in range(20):
            gone = socket.create_connection(('localhost', port_of(task)))
            # Closing with a reset, in the middle.
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
            gone.close()
        assert ask(task.address).state == WAITING
        for each in (*silent, loud):
            each.close()


@pytest.mark.parametrize('sent', [[GREETING], [GREETING + b'\0' * 10_000], [GREETING[:4]]])
def test_what_greets_as_tensorflows_server_does_trains(task, stranger, sent):
    stranger += sent
    assert ask(task.address, timeout=0.2) == Answer(RUNNING)
    assert ask(task.address, timeout=0.2).is_there


@pytest.mark.parametrize(
    'sent',
    [
        [],
        [b'{}\n'],
        [b'[1]\n'],
        [b'x' * 10_000],
        [b'{"task": "worker 1", "state": "asleep", "devices": 1}\n'],
        [b'{"task": "worker 1", "state": "waiting", "devices": null}\n'],
        [b'{"task": "\\u001b[31m", "state": "waiting", "devices": 1}\n'],
        [b'{"task": "worker 1"'],
    ],
)
def test_what_says_nothing_that_a_task_says_is_no_sign_of_life(task, stranger, sent):
    stranger += sent
    began = time.monotonic()
    assert ask(task.address, timeout=0.2) == Answer(SILENT)
    assert not ask(task.address, timeout=0.2).is_there
    assert time.monotonic() - began < 2


SERVER = """
import ctypes, sys
import tensorflow as tf

server = tf.distribute.Server({'worker': [sys.argv[1]]}, 'worker', 0)
print('up', flush=True)
# With this call no other thread of Python gets on, as in long work that never lets go.
ctypes.PyDLL(None).sleep(600)
"""


@pytest.mark.process
def test_a_task_that_is_busy_answers_and_one_that_is_frozen_does_not(task):
    with running('-c', SERVER, task.address, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == 'up\n'
        assert [ask(task.address, 3).state for _ in range(3)] == [RUNNING] * 3
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        assert ask(task.address) == Answer(SILENT)
        process.send_signal(signal.SIGCONT)
        assert ask(task.address, 10) == Answer(RUNNING)


def test_nobody_is_there():
    assert ask(free_addresses(1)[0]) == Answer(UNREACHABLE)
    assert ask('no-such-host.invalid:1', timeout=0.5) == Answer(UNREACHABLE)
    assert ask(f'{"x" * 70}.invalid:1', timeout=0.5) == Answer(UNREACHABLE)
