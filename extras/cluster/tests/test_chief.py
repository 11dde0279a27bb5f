"""The chief of a run that is trained already, or was; others answer at their ports."""

from __future__ import annotations

import contextlib
import os
import signal
from types import SimpleNamespace

import pytest

from extras.cluster import chief
from extras.cluster.job_notes import (
    Ended,
    TaskEnd,
    has_started,
    note_ended,
    note_started,
    note_task_end,
    read_ended,
    read_task_end,
)
from extras.cluster.rendezvous_port import READY, RendezvousPort
from extras.cluster.tests.one_task import SMALL, TOTAL, become
from library.errors import ResourceError, Stopped
from library.runs.lock import only_trainer

pytestmark = pytest.mark.train


@pytest.fixture
def cluster(monkeypatch):
    """A cluster with a parameter server, whose chief this process is."""
    return become(monkeypatch, 'chief', served=True)


@pytest.fixture
def others(cluster):
    """The others are there, and have heard the chief's word."""
    with contextlib.ExitStack() as ports:
        for task in cluster.peers:
            ports.enter_context(RendezvousPort(task, READY))
        yield cluster.peers


@pytest.fixture
def never_trains(monkeypatch):
    monkeypatch.setattr(chief, 'train_together', lambda *args: pytest.fail('it trains'))


@pytest.mark.usefixtures('never_trains', 'others')
def test_a_run_that_is_trained_already_is_reported_to_the_others(launch, run_dir, tmp_path, capsys):
    assert launch(tmp_path, **SMALL) == 0
    end = 'step 8: all 8 steps are trained'
    assert read_ended(str(run_dir)) == Ended(TOTAL, end)
    out = capsys.readouterr().out
    assert f'{end}; the evaluator, if there is one, keeps the best\n' in out


@pytest.mark.usefixtures('never_trains', 'others')
def test_a_run_that_the_evaluations_end_early_is_reported_to_the_others(launch, run_dir, tmp_path):
    assert launch(tmp_path, train_epochs=3, stop_threshold=0, **SMALL) == 0
    ended = read_ended(str(run_dir))
    assert ended.step == TOTAL
    assert ended.reason.startswith('stopped early: step 4: accuracy ')


@pytest.fixture
def trained(monkeypatch, cluster):
    """Lets training be done at once; a list of what the notes were when it began."""
    found = []

    def train(experiment, hooks):
        folder = experiment.hparams.model_dir
        finished = read_task_end(folder, cluster.own) == TaskEnd()
        found.append((read_ended(folder), has_started(folder), finished))

    monkeypatch.setattr(chief, 'train_together', train)
    return found


@pytest.mark.usefixtures('others')
def test_notes_of_an_older_start_are_gone_when_training_begins(
    launch, run_dir, tmp_path, cluster, trained
):
    note_ended(str(run_dir), TOTAL, 'of an older start')
    note_started(str(run_dir))
    note_task_end(str(run_dir), cluster.own, TaskEnd())
    assert launch(tmp_path, train_epochs=3, **SMALL) == 0
    assert trained == [(None, False, False)]
    assert read_task_end(str(run_dir), cluster.own) == TaskEnd()


@pytest.mark.usefixtures('others')
def test_the_shares_of_the_images_are_reported_before_training(
    launch, run_dir, tmp_path, trained, capsys
):
    assert launch(tmp_path, train_epochs=3, **SMALL) == 0
    assert 'each of 2 workers reads ' in capsys.readouterr().out


@pytest.mark.usefixtures('others')
def test_a_signal_ends_the_chief_as_a_stop_in_good_order(
    launch, run_dir, tmp_path, cluster, monkeypatch
):
    def stop(experiment, hooks):
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(chief, 'train_together', stop)
    with pytest.raises(Stopped, match=r'^stopped by SIGTERM after a checkpoint; the same command'):
        launch(tmp_path, train_epochs=3, **SMALL)
    assert read_ended(str(run_dir)) == Ended(TOTAL, 'stopped')
    assert read_task_end(str(run_dir), cluster.own) == TaskEnd()


@pytest.mark.usefixtures('others')
def test_training_that_ends_before_its_length_was_stopped(launch, run_dir, tmp_path, trained):
    assert launch(tmp_path, train_epochs=3, **SMALL) == 0
    assert read_ended(str(run_dir)) == Ended(TOTAL, 'stopped')


@pytest.mark.usefixtures('others')
def test_no_note_tells_of_an_end_where_training_fails(launch, run_dir, tmp_path, monkeypatch):
    def fail(experiment, hooks):
        raise ResourceError('the disk is full')

    monkeypatch.setattr(chief, 'train_together', fail)
    with pytest.raises(ResourceError):
        launch(tmp_path, train_epochs=3, **SMALL)
    assert read_ended(str(run_dir)) is None


@pytest.mark.usefixtures('never_trains', 'others')
def test_a_second_chief_is_refused_and_leaves_the_notes_of_the_first(launch, run_dir, tmp_path):
    note_ended(str(run_dir), 4, 'of the first')
    with only_trainer(str(run_dir)), pytest.raises(ResourceError, match='uses this folder'):
        launch(tmp_path, **SMALL)
    assert read_ended(str(run_dir)) == Ended(4, 'of the first')


@pytest.mark.usefixtures('never_trains')
def test_whom_the_chief_misses_is_named(launch, run_dir, tmp_path, cluster):
    worker = cluster.peers[0]
    with pytest.raises(ResourceError) as error:
        launch(tmp_path, train_epochs=3, cluster_timeout=1, **SMALL)
    assert str(error.value) == (f'{worker} and 1 more did not start within 1 s (--cluster_timeout)')


@pytest.mark.parametrize(
    ('step', 'reason', 'end'),
    [
        (7, None, None),
        (8, None, 'step 8: all 8 steps are trained'),
        (9, None, 'step 9: all 8 steps are trained'),  # a worker was in a step
        (4, 'accuracy 1', 'stopped early: accuracy 1'),
        (8, 'accuracy 1', 'step 8: all 8 steps are trained'),
    ],
)
def test_there_is_nothing_more_to_train_at_the_length_or_by_a_rule(monkeypatch, step, reason, end):
    monkeypatch.setattr(chief, 'newest_step', {'run': step}.__getitem__)
    monkeypatch.setattr(chief, 'run_length', lambda hparams, run: (None, TOTAL))
    experiment = SimpleNamespace(hparams=SimpleNamespace(model_dir='run'), run=None)
    assert chief._end(experiment, SimpleNamespace(reason=reason)) == end
