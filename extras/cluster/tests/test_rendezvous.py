"""All tasks start together, or one line tells who is missing."""

import contextlib
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from extras.cluster.local_cluster import free_addresses
from extras.cluster.rendezvous import ask_all, meet
from extras.cluster.rendezvous_port import (
    PREPARING,
    READY,
    UNREACHABLE,
    WAITING,
    RendezvousPort,
    ask,
)
from extras.cluster.tasks import Cluster, Task
from extras.cluster.tests.greeting import GreetingServer
from library.errors import ConfigError, ResourceError
from tests.processes import running, wait_until

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def tasks():
    """A chief, two workers and a parameter server, with addresses of this machine."""
    names = [('chief', 0), ('worker', 0), ('worker', 1), ('ps', 0)]
    addresses = free_addresses(len(names))
    return tuple(Task(*name, address) for name, address in zip(names, addresses, strict=True))


@pytest.fixture
def listener(tasks):
    """Takes a task's port and says nothing, as the system does for a process that is frozen."""
    with contextlib.ExitStack() as held:
        yield lambda task: held.enter_context(
            socket.create_server(('', int(task.address.rpartition(':')[2])))
        )


@pytest.fixture
def server():
    """Takes a task's port and greets as TensorFlow's server does."""
    with contextlib.ExitStack() as held:
        yield lambda task: held.enter_context(contextlib.closing(GreetingServer(task)))


class Together:
    """Runs tasks in threads; keeps when each went on, or why it did not."""

    logged = ()  # with `often` what they told

    def __init__(self, tasks, timeout=10, rejoins=False):
        self.tasks, self.timeout, self.rejoins = tasks, timeout, rejoins
        self.went_on, self.errors = {}, {}
        self.threads = []

    def start(self, *chosen, delay=0.0, preparing=0.0, devices=1):
        for task in chosen:
            args = (task, delay, preparing, devices)
            thread = threading.Thread(target=self._run, args=args, daemon=True)
            thread.start()
            self.threads.append(thread)

    def join(self):
        for thread in self.threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in self.threads)

    def wait_until_logged(self, count):
        wait_until(lambda: len(self.logged) >= count, f'line {count} of {self.logged}', 10)

    def _run(self, task, delay, preparing, devices):
        time.sleep(delay)
        try:
            with RendezvousPort(task, PREPARING, devices) as port:
                time.sleep(preparing)
                meet(
                    Cluster(self.tasks, task),
                    port,
                    self.timeout,
                    rejoins=self.rejoins,
                )
            self.went_on[task.name] = time.monotonic()
        except (ResourceError, ConfigError) as error:
            self.errors[task.name] = str(error)


@pytest.fixture
def often(monkeypatch):
    """Asks often, and tells soon for whom it waits."""
    monkeypatch.setattr(Together, 'logged', [])
    monkeypatch.setattr('extras.cluster.rendezvous.log', lambda line: Together.logged.append(line))
    monkeypatch.setattr('extras.cluster.rendezvous._LAST_PAUSE', 0.1)
    monkeypatch.setattr('extras.cluster.rendezvous._SILENCE', 0.1)


def test_all_go_on_together_when_the_last_has_come(tasks):
    together, began = Together(tasks), time.monotonic()
    together.start(*tasks[:3])
    together.start(tasks[3], delay=0.6)
    together.join()
    assert together.errors == {}
    assert set(together.went_on) == {'chief', 'worker 0', 'worker 1', 'ps 0'}
    assert min(together.went_on.values()) - began > 0.6
    assert max(together.went_on.values()) - began < 5
    assert all(ask(task.address).state == UNREACHABLE for task in tasks)


@pytest.mark.usefixtures('often')
def test_a_chief_that_prepares_gives_the_others_more_time(tasks):
    together = Together(tasks[:2], timeout=0.5)
    together.start(tasks[0], preparing=1.5)
    together.start(tasks[1])
    together.join()
    assert together.errors == {}


def test_a_task_that_does_not_come_is_named(tasks):
    together = Together(tasks, timeout=0.4)
    together.start(tasks[0], tasks[1])
    together.join()
    assert together.errors['chief'] == (
        f'worker 1 ({tasks[2].address}) and 1 more did not start within 0.4 s (--cluster_timeout)'
    )
    assert together.errors['worker 0'] == (
        f'chief ({tasks[0].address}) is gone: no answer within 0.4 s (--cluster_timeout)'
    )


def test_a_chief_that_does_not_come_is_named(tasks):
    together = Together(tasks, timeout=0.2)
    together.start(tasks[1])
    together.join()
    assert together.errors['worker 0'] == (
        f'chief ({tasks[0].address}) did not start: no answer within 0.2 s (--cluster_timeout)'
    )


@pytest.mark.usefixtures('often')
def test_a_long_wait_is_reported_once(tasks):
    together = Together(tasks[:2], timeout=1)
    together.start(tasks[0])
    together.join()
    assert together.logged == [f'waiting for worker 0 ({tasks[1].address}) to start']


@pytest.mark.usefixtures('often')
def test_for_what_it_waits_is_reported_anew_when_that_changes(tasks):
    chief, worker = tasks[:2]
    together = Together((chief, worker))
    together.start(worker)
    together.wait_until_logged(1)
    with RendezvousPort(chief, PREPARING) as port:
        together.wait_until_logged(2)
        port.state = WAITING
        together.wait_until_logged(3)
        port.state = READY
        together.join()
    assert together.logged == [
        f'waiting for {chief} to start',
        f'waiting for {chief} to prepare',
        f'waiting for {chief} to say that all tasks have started',
    ]


@pytest.mark.usefixtures('often')
def test_a_chief_that_is_gone_again_is_not_said_to_start(tasks):
    together = Together(tasks[:2], timeout=1.5)
    with RendezvousPort(tasks[0]):
        together.start(tasks[1])
        together.wait_until_logged(1)
    together.join()
    assert together.logged[-1] == f'waiting for {tasks[0]} to answer again'
    assert 'is gone' in together.errors['worker 0']


@pytest.mark.usefixtures('often')
def test_a_very_long_wait_is_reported_again(tasks, monkeypatch):
    monkeypatch.setattr('extras.cluster.rendezvous._REMINDER', 0.3)
    together = Together(tasks[:2], timeout=1)
    together.start(tasks[0])
    together.join()
    assert set(together.logged) == {f'waiting for worker 0 ({tasks[1].address}) to start'}
    assert 2 <= len(together.logged) <= 4


def test_workers_with_other_numbers_of_devices_are_refused_by_both_sides(tasks):
    chief, worker, server = tasks[0], tasks[1], tasks[3]
    together = Together((chief, worker, server))
    together.start(worker, devices=1)
    # A chief that prepares for long tells it from the beginning.
    together.start(chief, devices=8, preparing=0.5)
    together.threads[0].join(20)
    why = 'all workers need the same number'
    assert together.errors == {
        'worker 0': f'--num_gpus: {worker} trains on 1 device and {chief} on 8: {why}'
    }
    with RendezvousPort(worker):
        together.join()
    assert together.errors['chief'] == (
        f'--num_gpus: {chief} trains on 8 devices and {worker} on 1: {why}'
    )


def test_parameter_servers_may_have_other_devices(tasks):
    together = Together(tasks)
    together.start(*tasks[:3], devices=4)
    together.start(tasks[3], devices=1)
    together.join()
    assert together.errors == {}


def test_a_task_of_another_cluster_is_reported(tasks):
    moved = Task('worker', 7, tasks[1].address)
    together = Together(tasks[:2])
    with RendezvousPort(moved):
        together.start(tasks[0])
        together.join()
    assert together.errors['chief'] == (
        f'TF_CONFIG: {moved.address} is worker 0 here, but there it is worker 7: '
        'all tasks need the same cluster'
    )


def test_who_starts_again_beside_parameter_servers_goes_on_at_once(tasks, server):
    server(tasks[0])
    together = Together(tasks[:2], rejoins=True)
    together.start(tasks[1])
    together.join()
    assert together.errors == {}


def test_a_chief_that_starts_again_finds_the_others_at_work(tasks, server):
    server(tasks[1])
    together = Together(tasks[:2], rejoins=True)
    together.start(tasks[0])
    together.join()
    assert together.errors == {}


def test_nobody_joins_those_who_sum_up_together(tasks, server):
    server(tasks[0])
    together = Together(tasks[:2], timeout=0.3)
    together.start(tasks[1])
    together.join()
    assert together.errors['worker 0'] == (
        f'chief ({tasks[0].address}) trains already, and nobody can join it: start all tasks again'
    )


@pytest.mark.parametrize('rejoins', [False, True])
def test_a_task_that_is_frozen_has_not_started(tasks, listener, rejoins):
    listener(tasks[1])
    together = Together(tasks[:2], timeout=0.3, rejoins=rejoins)
    together.start(tasks[0])
    together.join()
    assert together.errors['chief'] == (
        f'worker 0 ({tasks[1].address}) did not start within 0.3 s (--cluster_timeout)'
    )


@pytest.mark.parametrize('rejoins', [False, True])
def test_a_chief_that_is_frozen_has_not_started(tasks, listener, rejoins):
    listener(tasks[0])
    together = Together(tasks[:2], timeout=0.3, rejoins=rejoins)
    together.start(tasks[1])
    together.join()
    assert together.errors['worker 0'] == (
        f'chief ({tasks[0].address}) did not start: no answer within 0.3 s (--cluster_timeout)'
    )


def test_a_busy_chief_that_misses_a_question_does_not_pass_for_one_that_trains(tasks, listener):
    port = listener(tasks[0])
    port.settimeout(10)
    together = Together(tasks[:2], timeout=20)
    together.start(tasks[1])
    missed, _ = port.accept()
    with missed:
        heard, _ = port.accept()
        with heard:
            heard.sendall(b'{"task": "chief", "state": "ready", "devices": 1}\n')
            together.join()
    assert together.errors == {}


def test_the_chief_keeps_its_door_open_until_all_have_heard(tasks):
    chief, worker = tasks[:2]
    together = Together((chief, worker))
    with RendezvousPort(worker) as late:
        together.start(chief)
        wait_until(lambda: ask(chief.address).state == READY, 'a chief that is ready', 5)
        time.sleep(0.5)
        assert ask(chief.address).state == READY
        late.state = READY
        together.join()
    assert 'chief' in together.went_on


def test_a_wait_for_the_chief_can_be_over_before_it_comes(tasks):
    looks = []
    with RendezvousPort(tasks[1]) as port:
        args = (Cluster(tasks, tasks[1]), port, 60)
        assert not meet(*args, rejoins=False, is_over=lambda: looks.append(1) or len(looks) == 2)
    assert len(looks) == 2


def test_several_are_asked_at_the_same_time(tasks, listener):
    for task in tasks[:3]:
        listener(task)
    began = time.monotonic()
    with RendezvousPort(tasks[3], WAITING):
        answers = ask_all(tasks, timeout=0.5)
    assert time.monotonic() - began < 1.2
    assert [answers[task].state for task in tasks] == ['silent'] * 3 + ['waiting']


PROGRAM = """
import sys
from extras.cluster.tasks import read_cluster
from extras.cluster.rendezvous_port import RendezvousPort
from library.runtime.entry import run_program
from extras.cluster.rendezvous import meet

def main(argv):
    cluster = read_cluster({'TF_CONFIG': argv[0]})
    with RendezvousPort(cluster.own) as port:
        # Asked between questions: by then it waits.
        meet(cluster, port, 60, rejoins=False, is_over=lambda: print('waiting', flush=True))
    return 0

sys.exit(run_program(main))
"""


@pytest.mark.process
@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_wait_at_once(tasks, number):
    words = ['-c', PROGRAM, Cluster(tasks, tasks[1]).as_tf_config()]
    with running(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == 'waiting\n'
        began = time.monotonic()
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
    assert time.monotonic() - began < 2
    assert (process.returncode, errors) == (128 + number, 'error: stopped\n')
