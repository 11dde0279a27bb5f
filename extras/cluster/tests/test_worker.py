"""A worker beside a chief that only answers at its port."""

from __future__ import annotations

import tempfile

import pytest

from extras.cluster import training_end, worker
from extras.cluster.job_notes import TaskEnd, note_ended, note_task_end, read_task_end
from extras.cluster.rendezvous_port import READY, WAITING, RendezvousPort
from extras.cluster.tests.one_task import SMALL, TOTAL, become, keep_checkpoint
from library.errors import NumericalError, Stopped

pytestmark = pytest.mark.train


@pytest.fixture
def scratch_dir(tmp_path, monkeypatch):
    """Where a worker helps to save."""
    folder = tmp_path / 'scratch'

    def make(prefix):
        folder.mkdir()
        return str(folder)

    monkeypatch.setattr(tempfile, 'mkdtemp', make)
    return folder


@pytest.fixture
def cluster(monkeypatch, scratch_dir):
    """A cluster with a parameter server, whose worker this process is."""
    return become(monkeypatch, 'worker', served=True)


@pytest.fixture
def chief(cluster):
    """The chief's port; it is ready."""
    with RendezvousPort(cluster.chief, READY) as port:
        yield port


@pytest.fixture
def never_trains(monkeypatch):
    monkeypatch.setattr(worker, 'train_together', lambda *args: pytest.fail('it trains'))


@pytest.mark.usefixtures('never_trains')
def test_where_the_run_is_trained_already_a_worker_ends_without_a_chief(
    launch, folder, tmp_path, cluster, capsys
):
    keep_checkpoint(folder, TOTAL)
    note_ended(str(folder), TOTAL, 'all steps are trained')
    assert launch(tmp_path, **SMALL) == 0
    assert f'{cluster.own}: the run is trained already\n' in capsys.readouterr().out


@pytest.mark.usefixtures('never_trains')
def test_a_chief_that_finds_the_run_trained_says_so_in_its_note(
    launch, folder, tmp_path, cluster, chief, monkeypatch, capsys
):
    monkeypatch.setattr(training_end, 'LOOK_SECONDS', 0.0)
    chief.state = WAITING
    keep_checkpoint(folder, TOTAL)
    looks, read = [], training_end.read_ended

    def look(model_dir):
        looks.append(model_dir)
        if len(looks) == 3:
            note_ended(model_dir, TOTAL, 'all steps are trained')
        return read(model_dir)

    monkeypatch.setattr(training_end, 'read_ended', look)
    assert launch(tmp_path, **SMALL) == 0
    assert len(looks) >= 3
    assert f'{cluster.own}: the run is trained already\n' in capsys.readouterr().out


def train_as(launch, tmp_path, monkeypatch, act, **flags):
    """Lets `act(folder)` stand for training; gives the hooks of it."""
    found = []

    def train(experiment, hooks):
        found.extend(hooks)
        act(experiment.hparams.model_dir)

    monkeypatch.setattr(worker, 'train_together', train)
    assert launch(tmp_path, **{**SMALL, **flags}) == 0
    return found


def test_a_worker_trains_with_the_chief_and_notes_its_own_end(
    launch, folder, tmp_path, cluster, chief, scratch_dir, monkeypatch, capsys
):
    note_task_end(str(folder), cluster.own, TaskEnd())  # of an older start
    (folder / 'tmp_worker_0').mkdir()
    (folder / 'tmp_worker_0' / 'events').touch()
    (folder / 'tmp_worker_1').mkdir()
    seen = []

    def act(model_dir):
        seen.append(read_task_end(model_dir, cluster.own) == TaskEnd())
        note_ended(model_dir, TOTAL, 'all steps are trained')

    train_as(launch, tmp_path, monkeypatch, act)
    assert f'{cluster.own}: training with {cluster.chief}\n' in capsys.readouterr().out
    assert seen == [False]
    assert read_task_end(str(folder), cluster.own) == TaskEnd()
    # What TensorFlow lets it write; another one's is another one's.
    names = {path.name for path in folder.iterdir()}
    assert names == {'cluster', 'tmp_worker_1', 'training_ended.json'}
    assert not scratch_dir.exists()


def test_a_worker_whose_chief_was_stopped_ends_as_if_it_was_stopped_itself(
    launch, folder, tmp_path, cluster, chief, monkeypatch
):
    with pytest.raises(Stopped, match=r'^stopped together with another task; the same command in'):
        train_as(launch, tmp_path, monkeypatch, lambda path: note_ended(path, 4, 'stopped'))
    # A good end all the same: nobody shall miss it.
    assert read_task_end(str(folder), cluster.own) == TaskEnd()


def test_a_worker_that_fails_notes_why(
    launch, folder, tmp_path, cluster, chief, scratch_dir, monkeypatch
):
    def fail(model_dir):
        assert scratch_dir.exists()
        raise NumericalError('the loss is nan')

    note_task_end(str(folder), cluster.own, TaskEnd())  # of an older start
    with pytest.raises(NumericalError, match='the loss is nan'):
        train_as(launch, tmp_path, monkeypatch, fail)
    assert read_task_end(str(folder), cluster.own) == TaskEnd(6, 'the loss is nan')
    assert not scratch_dir.exists()


def test_a_worker_with_a_fault_notes_nothing(
    launch, folder, tmp_path, cluster, chief, scratch_dir, monkeypatch
):
    def fail(model_dir):
        raise ValueError('no step')

    note_task_end(str(folder), cluster.own, TaskEnd(6, 'of an older start'))
    with pytest.raises(ValueError, match='no step'):
        train_as(launch, tmp_path, monkeypatch, fail)
    assert read_task_end(str(folder), cluster.own) is None
    assert not scratch_dir.exists()
