"""One process at a time in a folder: the second one refuses, or waits."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from library.errors import ResourceError
from library.runs.lock import LOCK, locked, only_trainer
from tests.conftest import ROOT


def unexpected(holder):
    raise AssertionError(f'held by {holder}')


def test_whoever_holds_it_is_named_and_may_be_waited_for(tmp_path):
    told, asked, entered = [], threading.Event(), threading.Event()

    def wait(holder):
        told.append(holder)
        asked.set()

    def second():
        with locked(str(tmp_path), wait):
            entered.set()

    thread = threading.Thread(target=second)
    with locked(str(tmp_path), unexpected):
        thread.start()
        assert asked.wait(20)
        assert not entered.is_set()
    thread.join(20)
    assert entered.is_set()
    assert told == [str(os.getpid())]


def test_a_refusal_leaves_the_lock_with_its_holder(tmp_path):
    def refuse(holder):
        raise BlockingIOError(holder)

    with locked(str(tmp_path), unexpected):
        with pytest.raises(BlockingIOError, match=str(os.getpid())), locked(str(tmp_path), refuse):
            pass
        assert (tmp_path / LOCK).read_text() == f'{os.getpid()}\n'
    with locked(str(tmp_path), unexpected):
        pass


def test_the_folder_is_made(tmp_path):
    with locked(str(tmp_path / 'new'), unexpected):
        assert (tmp_path / 'new' / LOCK).exists()


@pytest.mark.graph
def test_remote_folders_have_no_lock():
    with locked('ram://locked', unexpected), locked('ram://locked', unexpected):
        pass


@pytest.mark.process
def test_a_second_trainer_is_refused_and_told_of_the_first(tmp_path):
    code = (
        'import sys; from library.errors import ScaffoldError\n'
        'from library.runs.lock import only_trainer\n'
        'try:\n'
        '    with only_trainer(sys.argv[1]): print("got it")\n'
        'except ScaffoldError as error: print(error.exit_code, error)\n'
    )

    def other():
        words = [sys.executable, '-c', code, str(tmp_path)]
        given = {'cwd': ROOT, 'capture_output': True, 'text': True, 'timeout': 60}
        return subprocess.run(words, check=True, **given).stdout

    with only_trainer(str(tmp_path)):
        expected = f'5 {tmp_path}: another run (process {os.getpid()}) uses this folder\n'
        assert other() == expected
    assert other() == 'got it\n'


def test_the_lock_is_free_again_after_an_error(tmp_path):
    def fail():
        with only_trainer(str(tmp_path)):
            raise ResourceError('in between')

    with pytest.raises(ResourceError, match='in between'):
        fail()
    with only_trainer(str(tmp_path)):
        assert (tmp_path / '.lock').read_text() == f'{os.getpid()}\n'
