"""A signal ends the process although its main thread cannot be interrupted."""

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from extras.cluster import late_signals
from extras.cluster.late_signals import LateSignals
from tests.processes import running

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[3]
# Locking a lock of the C library twice waits for ever, whatever signals come: the main thread is as
# deaf as inside of TensorFlow.
PROGRAM = """
import ctypes, sys
from library.runtime.entry import run_program
from extras.cluster.late_signals import LateSignals

def main(argv):
    lock, library = ctypes.create_string_buffer(64), ctypes.CDLL(None)
    with LateSignals(patience=float(argv[0])):
        print('begun', flush=True)
        library.pthread_mutex_lock(lock)
        library.pthread_mutex_lock(lock)
    return 0

sys.exit(run_program(main))
"""


def end_of_the_deaf(*args, numbers):
    """The program's exit code, what it said, and the seconds from the first signal to its end."""
    pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE}
    with running('-c', PROGRAM, *args, **pipes) as process:
        assert process.stdout.readline() == 'begun\n'
        # Nothing tells that it has gone deaf: that is what makes it so.
        time.sleep(0.2)
        began = time.monotonic()
        for number in numbers:
            process.send_signal(number)
            time.sleep(0.2)
        _, errors = process.communicate(timeout=20)
        return process.returncode, errors, time.monotonic() - began


@pytest.mark.parametrize(
    ('number', 'name'), [(signal.SIGTERM, 'SIGTERM'), (signal.SIGINT, 'SIGINT')]
)
def test_a_signal_that_is_not_served_ends_the_process(number, name):
    status, errors, seconds = end_of_the_deaf(0.5, numbers=[number])
    assert errors == (
        f'error: stopped by {name} after 0.5 s while TensorFlow was at work or waiting; '
        'what was saved before is kept\n'
    )
    assert status == 128 + number
    assert 0.5 < seconds < 5


def test_a_second_signal_ends_at_once():
    status, errors, seconds = end_of_the_deaf(60, numbers=[signal.SIGTERM] * 2)
    assert errors == 'error: stopped by SIGTERM at once; what was saved before is kept\n'
    assert status == 143
    assert seconds < 3


def test_what_ends_in_time_is_left_alone_and_all_is_put_back():
    came, ends = [], []
    before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    old = os.pipe()
    os.set_blocking(old[1], False)
    fd_before = signal.set_wakeup_fd(old[1])
    try:
        with LateSignals(patience=5, end=lambda *end: ends.append(end)):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.5)
        assert came == [signal.SIGTERM]
        assert ends == []
        assert all(each.name != 'late signals' for each in threading.enumerate())
    finally:
        assert signal.set_wakeup_fd(fd_before) == old[1]
        signal.signal(signal.SIGTERM, before)
        for each in old:
            os.close(each)


def test_a_checkpoint_has_almost_as_long_as_the_job_files_give():
    texts = [path.read_text() for path in (ROOT / 'cloud' / 'kubernetes').glob('*.yaml')]
    given = [
        int(seconds)
        for text in texts
        for seconds in re.findall(r'terminationGracePeriodSeconds: (\d+)', text)
    ]
    assert given
    assert 60 < late_signals._PATIENCE <= min(given) - 10


PIPES = """
import os, sys, threading
from extras.cluster.late_signals import end_process

def fill(descriptor):
    os.set_blocking(descriptor, False)
    try:
        while True:
            os.write(descriptor, b'.' * 4096)
    except BlockingIOError:
        os.set_blocking(descriptor, True)

what = sys.argv[1]
if what == 'full':
    fill(1), fill(2)
elif what == 'held':
    # As by a main thread in the middle of a print that nobody reads.
    fill(1)
    threading.Thread(target=lambda: print('x' * 100_000, flush=True), daemon=True).start()
elif what == 'closed':
    sys.stderr.close()
elif what == 'none':
    sys.stdout = sys.stderr = None
elif what == 'threads':
    threading.Thread.start = None
end_process('last words', 5)
"""


@pytest.mark.parametrize('what', ['full', 'held', 'closed', 'none', 'threads', 'as ever'])
def test_nothing_holds_up_the_end(what):
    pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'text': False}
    with running('-c', PIPES, what, **pipes) as process:
        assert process.wait(15) == 5
        last = b'last words\n' if what in ('held', 'as ever') else b''
        assert process.stderr.read().strip(b'.') == last


def test_other_signals_are_no_request():
    ends = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: None)
    try:
        with LateSignals(patience=0.1, end=lambda *end: ends.append(end)):
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.5)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert ends == []
