"""What the tasks of a cluster leave for each other in MODEL_DIR."""

import signal
import threading

import pytest

from extras.cluster.job_notes import (
    Ended,
    TaskEnd,
    forget_ended,
    forget_started,
    forget_task_end,
    has_started,
    note_ended,
    note_started,
    note_task_end,
    read_ended,
    read_task_end,
    read_task_end_in_time,
)
from extras.cluster.tasks import Task
from library import files
from library.errors import Stopped

pytestmark = pytest.mark.unit

WORKER = Task('worker', 1, 'host:1')


def test_the_end_of_training_is_read_and_forgotten(tmp_path):
    folder = str(tmp_path / 'run')
    assert read_ended(folder) is None
    note_ended(folder, 12, 'stopped early: accuracy 1')
    assert read_ended(folder) == Ended(12, 'stopped early: accuracy 1')
    note_ended(folder, 13, 'trained')
    assert read_ended(folder) == Ended(13, 'trained')
    forget_ended(folder)
    forget_ended(folder)
    assert read_ended(folder) is None


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'{"step": 1',
        b'[]',
        b'{"step": 1}',
        b'{"step": "1", "reason": "x"}',
        b'{"step": true, "reason": "x"}',
        b'{"step": 1, "reason": null}',
        b'\xff',
    ],
)
def test_a_damaged_note_is_none(tmp_path, write, content):
    write(content, 'training_ended.json')
    assert read_ended(str(tmp_path)) is None


def test_each_task_notes_its_own_end(tmp_path):
    folder = str(tmp_path)
    note_task_end(folder, WORKER, TaskEnd())
    assert read_task_end(folder, WORKER) == TaskEnd()
    assert read_task_end(folder, Task('worker', 0, 'host:0')) is None
    assert read_task_end(folder, Task('ps', 1, 'host:2')) is None
    forget_task_end(folder, WORKER)
    forget_task_end(folder, WORKER)
    assert read_task_end(folder, WORKER) is None


def test_the_chief_notes_that_its_session_is_there(tmp_path):
    folder = str(tmp_path / 'run')
    assert not has_started(folder)
    note_started(folder)
    note_started(folder)
    assert has_started(folder)
    forget_started(folder)
    forget_started(folder)
    assert not has_started(folder)


def test_start_and_end_of_each_task_are_noted_apart(tmp_path):
    folder, chief = str(tmp_path), Task('chief', 0, 'host:0')
    note_started(folder)
    assert read_task_end(folder, chief) is None
    assert read_ended(folder) is None
    note_task_end(folder, chief, TaskEnd())
    forget_started(folder)
    assert read_task_end(folder, chief) == TaskEnd()
    assert not has_started(folder)


def test_a_task_that_fails_notes_how_and_has_not_finished(tmp_path):
    folder = str(tmp_path)
    assert read_task_end(folder, WORKER) is None
    note_task_end(folder, WORKER, TaskEnd(3, 'data/a: no\nimage'))
    assert read_task_end(folder, WORKER) == TaskEnd(3, 'data/a: no image')
    assert read_task_end(folder, Task('worker', 0, 'host:0')) is None
    forget_task_end(folder, WORKER)
    assert read_task_end(folder, WORKER) is None


def test_the_last_start_of_a_task_says_how_it_ended(tmp_path):
    folder = str(tmp_path)
    note_task_end(folder, WORKER, TaskEnd(3, 'no'))
    note_task_end(folder, WORKER, TaskEnd())
    assert read_task_end(folder, WORKER) == TaskEnd()
    note_task_end(folder, WORKER, TaskEnd(3, 'no'))
    assert read_task_end(folder, WORKER) == TaskEnd(3, 'no')


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'[]',
        b'{"line": "x"}',
        b'{"exit_code": 0}',
        b'{"line": 1, "exit_code": 3}',
        b'{"line": "x", "exit_code": true}',
        b'{"line": "x", "exit_code": -1}',
        b'{"line": "x", "exit_code": 256}',
        b'{"line": "x", "exit_code": "3"}',
    ],
)
def test_a_damaged_note_of_a_task_says_nothing(tmp_path, write, content):
    (tmp_path / 'cluster').mkdir()
    write(content, 'cluster/worker-1.json')
    assert read_task_end(str(tmp_path), WORKER) is None


def test_storage_that_fails_for_a_while_hides_notes_and_ends_nobody(tmp_path, monkeypatch):
    class OpError(Exception):
        """As TensorFlow's: no OSError."""

    folder, failed = str(tmp_path), Task('worker', 2, 'host:2')
    note_ended(folder, 12, 'trained')
    note_started(folder)
    note_task_end(folder, WORKER, TaskEnd())
    note_task_end(folder, failed, TaskEnd(3, 'no'))

    def read():
        return (
            read_ended(folder),
            has_started(folder),
            read_task_end(folder, WORKER),
            read_task_end(folder, failed),
        )

    def fails(*args):
        raise OpError('503')

    with monkeypatch.context() as while_it_fails:
        while_it_fails.setattr(files, 'read_bytes', fails)
        assert read() == (None, False, None, None)
    assert read() == (Ended(12, 'trained'), True, TaskEnd(), TaskEnd(3, 'no'))


def test_a_failure_that_cannot_be_noted_hides_no_error(tmp_path, monkeypatch):
    def fails(*args):
        raise OSError('disk full')

    monkeypatch.setattr(files, 'write_atomically', fails)
    note_task_end(str(tmp_path), WORKER, TaskEnd(3, 'no'))
    assert read_task_end(str(tmp_path), WORKER) is None


def test_a_signal_that_comes_while_a_note_is_read_is_no_failure_of_storage(tmp_path, monkeypatch):
    def comes(path):
        raise Stopped(signal.SIGTERM, 'stopped')

    monkeypatch.setattr(files, 'read_bytes', comes)
    with pytest.raises(Stopped):
        read_ended(str(tmp_path))


def test_storage_that_never_answers_holds_up_nobody_who_looks_for_the_end_of_a_task(
    tmp_path, monkeypatch
):
    folder, answers = str(tmp_path), threading.Event()
    note_task_end(folder, WORKER, TaskEnd())
    assert read_task_end_in_time(folder, WORKER) == TaskEnd()
    monkeypatch.setattr(files, 'read_bytes', lambda path: answers.wait(60))
    assert read_task_end_in_time(folder, WORKER, 0.1) is None
    answers.set()
