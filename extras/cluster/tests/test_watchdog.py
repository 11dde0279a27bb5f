"""A peer that is gone ends the process or is told of; one that finished does neither."""

import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from extras.cluster.job_notes import TaskEnd
from extras.cluster.local_cluster import free_addresses
from extras.cluster.rendezvous_port import (
    READY,
    RUNNING,
    SILENT,
    UNREACHABLE,
    WAITING,
    Answer,
)
from extras.cluster.tasks import Task
from extras.cluster.watchdog import Rules, Watch, Watchdog
from tests.processes import wait_until

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[3]
CHIEF, WORKER = Task('chief', 0, 'a:1'), Task('worker', 1, 'b:1')
RUNS, GONE, WAITS = Answer(RUNNING), Answer(UNREACHABLE), Answer(WAITING, 'worker 1')
SAYS_NOTHING = Answer(SILENT)
WAY_ON = 'start all tasks again, and the run goes on from its last checkpoint'
LOST = 'worker 1 (b:1) has not answered for 60 s: it is lost'
AGAIN = 'worker 1 (b:1) has started again, and cannot join those who train'


NO_DATA = TaskEnd(3, 'data/a: no image')


def rules(timeout, peers=(), *, fatal=None, rejoins=False, ends=None, needed=(), end_of=None):
    """Rules by which all peers are fatal, and none notes an end."""
    return Rules(
        timeout=timeout,
        start_timeout=5 * timeout,
        rejoins=rejoins,
        fatal=peers if fatal is None else fatal,
        needed=needed,
        end_of=end_of or (ends or {}).get,
    )


def watch(peers=(WORKER,), **given):
    return Watch(peers, rules(60, peers, **given), now=0)


def judged(watched, *rounds):
    """What a watch says in rounds of (answer, time), in order; all peers answer the same."""
    said = []
    for answer, now in rounds:
        lines, end = watched.judge(dict.fromkeys(watched.tasks, answer), now)
        said += [*lines, *([end.line] if end else [])]
    return said


def test_who_cannot_go_on_without_a_peer_ends_although_that_one_finished():
    """A worker that came late waits for variables that nobody has any more."""
    watched = watch(ends={WORKER: TaskEnd()}, needed={WORKER})
    assert judged(watched, (RUNS, 1), (RUNS, 2), (GONE, 10)) == []
    (line,) = judged(watched, (GONE, 63))
    assert line == f'worker 1 (b:1) has ended, and this task cannot go on alone; {WAY_ON}'


def test_a_peer_that_ran_is_lost_after_its_time():
    watched = watch()
    assert judged(watched, (RUNS, 1), (RUNS, 2), (GONE, 10), (GONE, 62)) == []
    assert judged(watched, (GONE, 63)) == [f'{LOST}; {WAY_ON}']


def test_each_answer_gives_the_full_time_again():
    assert judged(watch(), (RUNS, 1), (RUNS, 2), (GONE, 60), (RUNS, 61), (GONE, 120)) == []


def test_a_peer_has_longer_until_it_begins():
    watched = watch()
    assert judged(watched, (GONE, 100), (GONE, 299)) == []
    lost = 'worker 1 (b:1) has not answered for 300 s: it is lost'
    assert judged(watched, (GONE, 301)) == [f'{lost}; {WAY_ON}']


def test_a_peer_that_still_waits_has_as_long():
    watched = watch()
    assert judged(watched, (WAITS, 1), (Answer(READY, 'worker 1'), 299)) == []
    late = 'worker 1 (b:1) has not begun to train within 300 s'
    assert judged(watched, (WAITS, 301)) == [f'{late}; {WAY_ON}']


def test_a_peer_that_starts_again_where_it_cannot_join_is_reported_at_once():
    assert judged(watch(), (RUNS, 1), (RUNS, 2), (WAITS, 3)) == [f'{AGAIN}; {WAY_ON}']


def test_a_peer_that_is_too_busy_for_one_answer_is_no_loss():
    assert judged(watch(), (WAITS, 1), (SAYS_NOTHING, 2), (RUNS, 61), (SAYS_NOTHING, 62)) == []


def test_a_peer_that_lets_connect_and_says_nothing_is_frozen():
    watched = watch()
    assert judged(watched, (RUNS, 1), (SAYS_NOTHING, 2), (SAYS_NOTHING, 61)) == []
    frozen = 'worker 1 (b:1) has not answered for 60 s: it is frozen'
    assert judged(watched, (SAYS_NOTHING, 62)) == [f'{frozen}; {WAY_ON}']


def test_where_peers_rejoin_a_loss_and_a_return_are_reported_once():
    watched = watch(fatal=(), rejoins=True)
    rounds = [(RUNS, 1), (RUNS, 2), (GONE, 63), (GONE, 64), (GONE, 500), (WAITS, 501), (RUNS, 502)]
    warning = f'warning: {LOST}; the others go on'
    assert judged(watched, *rounds) == [warning, 'worker 1 (b:1) is back']
    assert judged(watched, (GONE, 562), (GONE, 563)) == [warning]


def test_the_kind_says_whose_loss_is_the_end():
    watched = watch((WORKER, CHIEF), fatal={CHIEF}, rejoins=True)
    rounds = [(RUNS, 1), (RUNS, 2), (GONE, 63)]
    assert judged(watched, *rounds) == [
        f'warning: {LOST}; the others go on',
        f'chief (a:1) has not answered for 60 s: it is lost; {WAY_ON}',
    ]


def test_a_peer_that_finished_is_no_loss():
    watched = watch((WORKER, CHIEF), ends=dict.fromkeys([WORKER, CHIEF], TaskEnd()))
    assert judged(watched, (RUNS, 1), (RUNS, 2), (GONE, 63)) == []
    assert watched.tasks == []


@pytest.mark.parametrize('ran', [True, False])
def test_a_peer_that_noted_its_failure_ends_this_process_at_once_and_in_the_same_way(ran):
    watched = watch(ends={WORKER: NO_DATA})
    if ran:
        assert judged(watched, (RUNS, 1), (RUNS, 2)) == []
    ended = TaskEnd(3, 'worker 1 (b:1) ended: data/a: no image')
    assert watched.judge({WORKER: GONE}, 3) == ([], ended)


def test_how_a_peer_failed_is_asked_once_in_a_round_of_those_who_do_not_answer():
    asked = []
    watched = watch((WORKER, CHIEF), end_of=asked.append)
    watched.judge({WORKER: RUNS, CHIEF: GONE}, 1)
    watched.judge({WORKER: GONE, CHIEF: Answer(READY, 'chief')}, 2)
    watched.judge({WORKER: GONE, CHIEF: RUNS}, 3)
    assert asked == [CHIEF, WORKER, WORKER]


def test_a_loss_ends_the_process_as_a_failure_of_its_surroundings():
    _, end = watch().judge({WORKER: GONE}, 301)
    assert end.exit_code == 5


def test_where_peers_rejoin_a_failure_is_reported_once_and_so_is_the_next_one():
    watched = watch(fatal=(), rejoins=True, ends={WORKER: NO_DATA})
    warning = 'warning: worker 1 (b:1) ended: data/a: no image; the others go on'
    assert judged(watched, (RUNS, 1), (GONE, 3), (GONE, 4), (GONE, 500)) == [warning]
    assert judged(watched, (WAITS, 501), (GONE, 502)) == ['worker 1 (b:1) is back', warning]


def watchdog(peers, given=None, **others):
    return Watchdog(peers, given or rules(0.4, peers), **others)


def test_a_watchdog_asks_real_ports_and_ends_the_process():
    task = Task('worker', 1, free_addresses(1)[0])
    ended, ends = threading.Event(), []

    def end(line, status):
        ends.append((line, status))
        ended.set()

    with watchdog([task], end=end):
        assert ended.wait(10)
    line = f'{task} has not answered for 2 s: it is lost'
    assert ends == [(f'error: {line}; {WAY_ON}', 5)]


def test_a_watchdog_ends_the_process_with_a_peers_own_code():
    ended, ends = threading.Event(), []

    def end(line, status):
        ends.append((line, status))
        ended.set()

    def ask(tasks):
        return dict.fromkeys(tasks, GONE)

    with watchdog([WORKER], rules(0.4, [WORKER], ends={WORKER: NO_DATA}), ask=ask, end=end):
        assert ended.wait(10)
    assert ends == [('error: worker 1 (b:1) ended: data/a: no image', 3)]


def test_a_loss_that_is_not_fatal_is_reported_on_stderr(capsys):
    asked = []

    def ask(tasks):
        asked.append(tasks)
        return dict.fromkeys(tasks, GONE)

    said = f'{WORKER} ended: data/a: no image'
    with watchdog([WORKER], rules(0.4, ends={WORKER: NO_DATA}), ask=ask):
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


def test_time_in_which_this_process_was_frozen_is_not_held_against_its_peers(monkeypatch):
    now, rounds, ends = [0.0], [], []
    monkeypatch.setattr('extras.cluster.watchdog.time', SimpleNamespace(monotonic=lambda: now[0]))

    def ask(tasks):
        rounds.append(1)
        now[0] += 1000 if len(rounds) == 2 else 1
        return dict.fromkeys(tasks, GONE if len(rounds) == 2 else RUNS)

    with watchdog([WORKER], rules(20, [WORKER]), ask=ask, end=lambda *end: ends.append(end)) as dog:
        dog._pause = 0.01
        wait_until(lambda: len(rounds) > 3, 'a fourth round')
    assert ends == []


# Locking a lock of the C library twice waits for ever, as TensorFlow does.
PROGRAM = """
import ctypes, sys
from extras.cluster.tasks import Task
from extras.cluster.watchdog import Rules, Watchdog

lock, library = ctypes.create_string_buffer(64), ctypes.CDLL(None)
task = Task('worker', 1, sys.argv[1])
rules = Rules(0.5, 0.5, rejoins=False, fatal={task}, needed=(), end_of=lambda task: None)
with Watchdog([task], rules):
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
    dog = watchdog([], rules(timeout))
    assert dog._pause == min(timeout / 4, 5)
