"""One process at a time in a folder: the second one refuses, or waits."""

from __future__ import annotations

import os
import threading

import pytest

from library.runtime.folder_lock import LOCK, locked


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
