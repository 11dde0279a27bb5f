"""A peer that is gone ends the process or is told of; one that finished does neither."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from extras.cluster.job_notes import Failed
from extras.cluster.local_cluster import free_addresses
from extras.cluster.rendezvous_port import READY, RUNNING, UNREACHABLE, WAITING, Answer
from extras.cluster.tasks import Task
from extras.cluster.watchdog import Watch, Watchdog
from tests.processes import wait_until

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[3]
CHIEF, WORKER = Task('chief', 0, 'a:1'), Task('worker', 1, 'b:1')
RUNS, GONE, WAITS = Answer(RUNNING), Answer(UNREACHABLE), Answer(WAITING, 'worker 1')
WAY_ON = 'start all tasks again, and the run goes on from its last checkpoint'
LOST = 'worker 1 (b:1) has not answered for 60 s: it is lost'
AGAIN = 'worker 1 (b:1) has started again, and cannot join those who train'


NO_DATA = Failed('data/a: no image', 3)


def watch(
    peers=(WORKER,),
    *,
    fatal=lambda task: True,
    rejoins=False,
    finished=(),
    failure=lambda task: None,
    needed=lambda task: False,
):
    return Watch(
        peers,
        60,
        300,
        fatal=fatal,
        rejoins=rejoins,
        has_finished=lambda task: task in finished,
        failure=failure,
        needed=needed,
        now=0,
    )


def judged(rules, *rounds):
    """What the rules say in rounds of (answer, time), in order; all peers answer the same."""
    said = []
    for answer, now in rounds:
        lines, failed = rules.judge(dict.fromkeys(rules.tasks, answer), now)
        said += [*lines, *([failed.line] if failed else [])]
    return said


def test_who_cannot_go_on_without_a_peer_ends_although_that_one_finished():
    """A worker that came late waits for variables that nobody has any more."""
    rules = watch(finished=(WORKER,), needed=lambda task: task == WORKER)
    assert judged(rules, (RUNS, 1), (RUNS, 2), (GONE, 10)) == []
    (line,) = judged(rules, (GONE, 63))
    assert line == f'worker 1 (b:1) has ended, and this task cannot go on alone; {WAY_ON}'


def test_a_peer_that_ran_is_lost_after_its_time():
    rules = watch()
    assert judged(rules, (RUNS, 1), (RUNS, 2), (GONE, 10), (GONE, 62)) == []
    assert judged(rules, (GONE, 63)) == [f'{LOST}; {WAY_ON}']


def test_each_answer_gives_the_full_time_again():
    assert judged(watch(), (RUNS, 1), (RUNS, 2), (GONE, 60), (RUNS, 61), (GONE, 120)) == []


def test_a_peer_has_longer_until_it_begins():
    rules = watch()
    assert judged(rules, (GONE, 100), (GONE, 299)) == []
    lost = 'worker 1 (b:1) has not answered for 300 s: it is lost'
    assert judged(rules, (GONE, 301)) == [f'{lost}; {WAY_ON}']


def test_a_peer_that_still_waits_has_as_long():
    rules = watch()
    assert judged(rules, (WAITS, 1), (Answer(READY, 'worker 1'), 299)) == []
    late = 'worker 1 (b:1) has not begun to train within 300 s'
    assert judged(rules, (WAITS, 301)) == [f'{late}; {WAY_ON}']


def test_a_peer_that_starts_again_where_it_cannot_join_is_reported_at_once():
    assert judged(watch(), (RUNS, 1), (RUNS, 2), (WAITS, 3)) == [f'{AGAIN}; {WAY_ON}']


def test_one_silent_answer_of_a_busy_peer_is_no_start():
    assert judged(watch(), (WAITS, 1), (RUNS, 2), (WAITS, 3), (RUNS, 4)) == []


def test_where_peers_rejoin_a_loss_and_a_return_are_reported_once():
    rules = watch(fatal=lambda task: False, rejoins=True)
    rounds = [(RUNS, 1), (RUNS, 2), (GONE, 63), (GONE, 64), (GONE, 500), (WAITS, 501), (RUNS, 502)]
    warning = f'warning: {LOST}; the others go on'
    assert judged(rules, *rounds) == [warning, 'worker 1 (b:1) is back']
    assert judged(rules, (GONE, 562), (GONE, 563)) == [warning]


def test_the_kind_says_whose_loss_is_the_end():
    rules = watch((WORKER, CHIEF), fatal=lambda task: task.job == 'chief', rejoins=True)
    rounds = [(RUNS, 1), (RUNS, 2), (GONE, 63)]
    assert judged(rules, *rounds) == [
        f'warning: {LOST}; the others go on',
        f'chief (a:1) has not answered for 60 s: it is lost; {WAY_ON}',
    ]


def test_a_peer_that_finished_is_no_loss():
    rules = watch((WORKER, CHIEF), finished=(WORKER, CHIEF))
    assert judged(rules, (RUNS, 1), (RUNS, 2), (GONE, 63)) == []
    assert rules.tasks == []


@pytest.mark.parametrize('ran', [True, False])
def test_a_peer_that_noted_its_failure_ends_this_process_at_once_and_in_the_same_way(ran):
    rules = watch(failure=lambda task: NO_DATA)
    if ran:
        assert judged(rules, (RUNS, 1), (RUNS, 2)) == []
    ended = Failed('worker 1 (b:1) ended: data/a: no image', 3)
    assert rules.judge({WORKER: GONE}, 3) == ([], ended)


def test_how_a_peer_failed_is_asked_once_in_a_round_of_those_who_do_not_answer():
    asked = []
    rules = watch((WORKER, CHIEF), failure=asked.append)
    rules.judge({WORKER: RUNS, CHIEF: GONE}, 1)
    rules.judge({WORKER: GONE, CHIEF: Answer(READY, 'chief')}, 2)
    rules.judge({WORKER: GONE, CHIEF: RUNS}, 3)
    assert asked == [CHIEF, WORKER, WORKER]


def test_a_loss_ends_the_process_as_a_failure_of_its_surroundings():
    _, failed = watch().judge({WORKER: GONE}, 301)
    assert failed.exit_code == 5


def test_where_peers_rejoin_a_failure_is_reported_once_and_so_is_the_next_one():
    rules = watch(fatal=lambda task: False, rejoins=True, failure=lambda task: NO_DATA)
    warning = 'warning: worker 1 (b:1) ended: data/a: no image; the others go on'
    assert judged(rules, (RUNS, 1), (GONE, 3), (GONE, 4), (GONE, 500)) == [warning]
    assert judged(rules, (WAITS, 501), (GONE, 502)) == ['worker 1 (b:1) is back', warning]


def watchdog(peers, **others):
    return Watchdog(
        peers,
        0.4,
        0.4,
        **{'fatal': lambda task: True, **others},
        rejoins=False,
        has_finished=lambda task: False,
        handled=lambda: False,
    )


def test_a_watchdog_asks_real_ports_and_ends_the_process():
    task = Task('worker', 1, free_addresses(1)[0])
    ended, ends = threading.Event(), []

    def end(line, status):
        ends.append((line, status))
        ended.set()

    with watchdog([task], end=end):
        assert ended.wait(10)
    line = f'{task} has not answered for 0.4 s: it is lost'
    assert ends == [(f'error: {line}; {WAY_ON}', 5)]


def test_a_watchdog_ends_the_process_with_a_peers_own_code():
    ended, ends = threading.Event(), []

    def end(line, status):
        ends.append((line, status))
        ended.set()

    def ask(tasks):
        return dict.fromkeys(tasks, GONE)

    with watchdog([WORKER], ask=ask, end=end, failure=lambda task: NO_DATA):
        assert ended.wait(10)
    assert ends == [('error: worker 1 (b:1) ended: data/a: no image', 3)]


def test_a_loss_that_is_not_fatal_is_reported_on_stderr(capsys):
    asked = []

    def ask(tasks):
        asked.append(tasks)
        return dict.fromkeys(tasks, GONE)

    said = f'{WORKER} ended: data/a: no image'
    with watchdog([WORKER], ask=ask, fatal=lambda task: False, failure=lambda task: NO_DATA):
        wait_until(lambda: len(asked) > 3, 'a fourth round')
    assert capsys.readouterr() == ('', f'warning: {said}; the others go on\n')


def test_a_watchdog_is_quiet_while_all_are_there_and_leaves_no_threads():
    asked, ends = [], []

    def ask(tasks):
        asked.append(tasks)
        return dict.fromkeys(tasks, RUNS)

    with watchdog([WORKER], ask=ask, end=lambda *end: ends.append(end)):
        wait_until(lambda: len(asked) > 3, 'a fourth round')
    wait_until(
        lambda: all(each.name != 'watchdog' for each in threading.enumerate()), 'the end of it', 5
    )
    assert ends == []


# Locking a lock of the C library twice waits for ever, as TensorFlow does.
PROGRAM = """
import ctypes, sys
from extras.cluster.tasks import Task
from extras.cluster.watchdog import Watchdog

lock, library = ctypes.create_string_buffer(64), ctypes.CDLL(None)
with Watchdog([Task('worker', 1, sys.argv[1])], 0.5, 0.5, fatal=lambda task: True, rejoins=False,
              has_finished=lambda task: False, handled=lambda: False):
    print('begun', end='')
    library.pthread_mutex_lock(lock)
    library.pthread_mutex_lock(lock)
"""


@pytest.mark.process
def test_a_lost_peer_ends_a_process_with_one_line():
    address = free_addresses(1)[0]
    process = subprocess.run(
        [sys.executable, '-c', PROGRAM, address],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=25,
        check=False,
    )
    line = f'error: worker 1 ({address}) has not answered for 0.5 s: it is lost; {WAY_ON}\n'
    assert (process.returncode, process.stdout, process.stderr) == (5, 'begun', line)


@pytest.mark.parametrize('timeout', [1, 60])
def test_rounds_are_short_enough_for_the_timeout(timeout):
    dog = Watchdog(
        [],
        timeout,
        timeout,
        fatal=lambda task: True,
        rejoins=False,
        has_finished=lambda task: False,
        handled=lambda: False,
    )
    assert dog._pause == min(timeout / 4, 5)
