"""Until when variables are held."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import pytest

from extras.cluster import parameter_server
from extras.cluster.distribution import ClusterDistribution
from extras.cluster.job_notes import TaskEnd, note_ended, note_task_end, read_task_end
from extras.cluster.kind import PARAMETER_SERVER
from extras.cluster.parameter_server import Workers
from extras.cluster.rendezvous_port import READY, RendezvousPort
from extras.cluster.tests.greeting import GreetingServer
from extras.cluster.tests.one_task import SMALL, TOTAL, become, keep_checkpoint
from library.errors import Stopped

pytestmark = pytest.mark.train


@pytest.fixture
def cluster(monkeypatch):
    """A cluster whose parameter server this process is."""
    return become(monkeypatch, 'ps', served=True)


@pytest.fixture
def trains():
    """Lets a task train, as far as others see, until what this gives is closed."""
    started = []

    def start(task):
        started.append(GreetingServer(task))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture
def workers(cluster, tmp_path):
    """All who train; one that is not seen for no time at all is missed no more."""
    options = SimpleNamespace(peer_timeout=0)
    return Workers(
        SimpleNamespace(
            hparams=SimpleNamespace(model_dir=str(tmp_path), take=lambda kind: options),
            distribution=ClusterDistribution(None, 1, ('/cpu:0',), PARAMETER_SERVER, cluster),
        )
    )


def test_nobody_needs_variables_where_training_has_ended_and_nobody_trains(workers, tmp_path):
    assert not workers.have_ended()
    note_ended(str(tmp_path), TOTAL, 'trained')
    assert workers.have_ended()


def test_a_worker_that_trains_needs_them_until_it_is_gone(workers, cluster, trains, tmp_path):
    note_ended(str(tmp_path), TOTAL, 'trained')
    worker = trains(cluster.trainers[1])
    assert not workers.have_ended()
    worker.close()
    assert workers.have_ended()


def test_a_worker_that_is_frozen_needs_them_no_more(workers, cluster, tmp_path):
    note_ended(str(tmp_path), TOTAL, 'trained')
    port = int(cluster.trainers[1].address.rpartition(':')[2])
    with socket.create_server(('', port)):
        assert workers.have_ended()


@pytest.mark.parametrize('noted', [True, False])
def test_all_who_noted_their_end_need_them_no_more(workers, cluster, trains, tmp_path, noted):
    """The chief's note may be gone: it may have been started again, and found nothing to do."""
    for task in cluster.trainers:
        trains(task)
    if noted:
        note_ended(str(tmp_path), TOTAL, 'trained')
    note_task_end(str(tmp_path), cluster.chief, TaskEnd())
    assert not workers.have_ended()
    note_task_end(str(tmp_path), cluster.trainers[1], TaskEnd())
    assert workers.have_ended()


def test_a_worker_that_is_just_starting_may_need_them(workers, cluster, tmp_path):
    """At its port it is seen; between that and TensorFlow's server it is not."""
    note_ended(str(tmp_path), TOTAL, 'trained')
    with RendezvousPort(cluster.trainers[1]):
        assert not workers.have_ended()
    workers._patience = 60
    assert not workers.have_ended()


@pytest.fixture
def serve(launch, folder, tmp_path, cluster, monkeypatch):
    """Serves without a server; `act(look)` stands for the time that passes between two looks."""

    def call(act, serves=True):
        looks = []

        def sleep(seconds):
            if seconds == parameter_server.LOOK_SECONDS:
                looks.append(seconds)
                act(len(looks))

        if serves:
            monkeypatch.setattr(parameter_server, '_start_server', lambda cluster: object())
        monkeypatch.setattr(parameter_server, 'LOOK_SECONDS', 0.123)
        monkeypatch.setattr(
            parameter_server,
            'time',
            SimpleNamespace(sleep=sleep, monotonic=lambda: 1000 * len(looks)),
        )
        with RendezvousPort(cluster.chief, READY):
            assert launch(tmp_path, **SMALL) == 0
        return len(looks)

    return call


def test_it_serves_until_the_chief_noted_the_end(serve, folder, cluster, capsys):
    note_task_end(str(folder), cluster.own, TaskEnd())  # of an older start
    seen = []

    def act(look):
        seen.append(read_task_end(str(folder), cluster.own) == TaskEnd())
        if look == 3:
            note_ended(str(folder), TOTAL, 'trained')
            note_task_end(str(folder), cluster.chief, TaskEnd())

    assert serve(act) == 3
    assert seen == [False] * 3
    assert read_task_end(str(folder), cluster.own) == TaskEnd()
    assert f'{cluster.own}: serving variables to 2 tasks\n' in capsys.readouterr().out


def test_it_serves_on_while_a_worker_is_in_its_last_step(serve, folder, cluster, trains):
    worker = trains(cluster.trainers[1])

    def act(look):
        if look == 1:
            note_ended(str(folder), TOTAL, 'trained')
            note_task_end(str(folder), cluster.chief, TaskEnd())
        if look == 2:
            worker.close()

    assert serve(act) == 2


def test_where_the_run_is_trained_already_it_serves_nobody(serve, folder, monkeypatch, capsys):
    keep_checkpoint(folder, TOTAL)
    note_ended(str(folder), TOTAL, 'trained')
    monkeypatch.setattr(parameter_server, '_start_server', lambda cluster: pytest.fail('it serves'))
    assert serve(lambda look: None, serves=False) == 0
    assert 'the run is trained already' in capsys.readouterr().out


def test_where_the_chief_was_stopped_it_ends_as_if_it_was_stopped_itself(serve, folder, cluster):
    def act(look):
        note_ended(str(folder), 4, 'stopped')
        note_task_end(str(folder), cluster.chief, TaskEnd())

    with pytest.raises(Stopped, match=r'^stopped together with another task; the same command in'):
        serve(act)
