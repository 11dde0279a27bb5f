"""What the tests start does not depend on how they were started, and never outlives them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.processes import ROOT, python, running, wait_until

REPORT = """
import json, os, signal
print(json.dumps({
    'ignored': [int(n) for n in signal.valid_signals() if signal.getsignal(n) == signal.SIG_IGN],
    'blocked': sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, []))),
    'told': sorted({'PYTHONWARNINGS', 'PYTHONOPTIMIZE', 'TF_CONFIG', 'GIT_DIR'} & set(os.environ)),
}))
"""
# As a test process does it that was started in the background, by nohup, in a job of a cluster.
HARDLY_STARTED = f"""
import signal, subprocess, sys
from tests.surroundings import forget_how_it_was_started
forget_how_it_was_started()
sys.exit(subprocess.call([sys.executable, '-c', {REPORT!r}]))
"""


def is_there(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_children_start_as_on_a_fresh_machine_however_the_tests_were_started():
    def ignore():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])

    odd = {'PYTHONWARNINGS': 'error', 'PYTHONOPTIMIZE': '2', 'TF_CONFIG': '{', 'GIT_DIR': '/none'}
    done = subprocess.run(
        [sys.executable, '-c', HARDLY_STARTED],
        cwd=ROOT,
        env={**os.environ, **odd},
        preexec_fn=ignore,
        capture_output=True,
        check=True,
        timeout=60,
    )
    # Python itself ignores these two, and gives them back to what it starts by exec alone.
    report = json.loads(done.stdout)
    assert set(report['ignored']) <= {signal.SIGPIPE, signal.SIGXFSZ}
    assert (report['blocked'], report['told']) == ([], [])


def test_a_failure_while_a_program_runs_ends_it_and_its_children():
    code = (
        'import subprocess, sys, time;'
        'child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]);'
        'print(child.pid, flush=True); time.sleep(600)'
    )
    with (
        pytest.raises(RuntimeError, match='the test fails'),
        running('-c', code, stdout=subprocess.PIPE) as process,
    ):
        child = int(process.stdout.readline())
        raise RuntimeError('the test fails')
    assert process.returncode == -signal.SIGKILL
    wait_until(lambda: not is_there(child), 'the end of its child')


@pytest.mark.skipif(sys.platform != 'linux', reason='Linux alone tells a child of its parent')
def test_what_the_tests_started_dies_with_them():
    code = (
        'import subprocess, time;'
        'from tests.processes import python; words = ["-c", "import time; time.sleep(600)"];'
        'print(subprocess.Popen(python(*words)).pid, flush=True); time.sleep(600)'
    )
    with subprocess.Popen(
        [sys.executable, '-c', code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as tests:
        child = int(tests.stdout.readline())
        tests.kill()
    wait_until(lambda: not is_there(child), 'the end of what it started')


def test_arguments_travel_unchanged():
    words = ['-c', 'import sys; print(sys.argv[1:])', '--flag', 'two words', '', '-c']
    done = subprocess.run(python(*words), capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == f'{words[2:]}\n'
