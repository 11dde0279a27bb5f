"""Let the tasks of a cluster find each other before the servers of TensorFlow run.

Imports no TensorFlow. Each task but the evaluator opens its own port (rendezvous_port.py). The
chief prepares, waits until all others have opened theirs, and says that it is ready; the others
wait for that word.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from extras.cluster.rendezvous_port import (
    PREPARING,
    READY,
    RUNNING,
    UNREACHABLE,
    WAITING,
    Answer,
    RendezvousPort,
    ask,
)
from extras.cluster.tasks import Cluster, Task
from library.console import log
from library.errors import ConfigError, ResourceError

# Seconds between two rounds of questions: few at first, for tasks that start together.
_FIRST_PAUSE, _LAST_PAUSE = 0.1, 1.0
# After so many seconds a person wants to know for whom it waits, and later that it still does.
_SILENCE, _REMINDER = 5.0, 180.0
_UNANSWERED = Answer(UNREACHABLE)
# A busy process may take longer than a second, and must not pass for TensorFlow's server.
_PATIENT = 4.0


def ask_all(tasks: Sequence[Task], timeout: float = 1.0) -> dict[Task, Answer]:
    """Ask several tasks in parallel, each for about `timeout` seconds; never raise."""
    answers: queue.SimpleQueue[tuple[Task, Answer]] = queue.SimpleQueue()
    for task in tasks:
        # No pool: it would be waited for at the process's end, as long as a name is looked up.
        threading.Thread(
            target=lambda task=task: answers.put((task, ask(task.address, timeout))), daemon=True
        ).start()
    found: dict[Task, Answer] = {}
    deadline = time.monotonic() + 2 * timeout + 1
    while len(found) < len(tasks) and (left := deadline - time.monotonic()) > 0:
        try:
            task, answer = answers.get(timeout=left)
        except queue.Empty:
            break
        found[task] = answer
    return {task: found.get(task, _UNANSWERED) for task in tasks}


def _ask_twice(tasks: Sequence[Task]) -> dict[Task, Answer]:
    """Ask all tasks, and those at length that seem to train already."""
    answers = ask_all(tasks)
    running = [task for task in tasks if answers[task].state == RUNNING]
    return answers | ask_all(running, _PATIENT)


def meet(
    cluster: Cluster,
    port: RendezvousPort,
    timeout: float,
    *,
    rejoins: bool,
    log: Callable[[str], None] = log,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Return once all tasks of the cluster have started; every task but the evaluator calls it.

    The chief calls it when it is prepared. Close the port when it returned, and start TensorFlow's
    server then.

    Args:
      cluster: with this process in it.
      port: of this process; says how many devices it has.
      timeout: seconds after which a task that was not seen counts as missing.
      rejoins: True where a task may start again while the others train (parameter servers).
      log: gets a line when the wait gets long, and another for what it waits for next.
      check: is called between questions, and may raise to end the wait.

    Raises:
      ResourceError: a task did not start.
      ConfigError: another task knows another cluster, or trains on another number of devices.
    """
    port.state = WAITING
    wait = _Wait(timeout, log, check)
    if cluster.is_chief:
        _wait_for_all(cluster, port.devices, wait, rejoins)
        port.state = READY
        _wait_until_heard(cluster, _Wait(timeout, log, check))
    else:
        _wait_for_chief(cluster, port.devices, wait, rejoins)
        # For the chief, which may still find the port open.
        port.state = READY


def _wait_for_all(cluster: Cluster, devices: int, wait: _Wait, rejoins: bool) -> None:
    missing = list(cluster.peers)
    while True:
        for task, answer in _ask_twice(missing).items():
            _check(cluster, devices, task, answer)
            # What runs where nobody may rejoin is left from before, and will end.
            if answer.state != UNREACHABLE and (rejoins or answer.state != RUNNING):
                missing.remove(task)
        if not missing:
            return
        others = f' and {len(missing) - 1} more' if len(missing) > 1 else ''
        wait.pause(
            f'{missing[0]}{others} to start',
            f'{missing[0]}{others} did not start within {wait.timeout:g} s (--cluster_timeout)',
        )


def _wait_until_heard(cluster: Cluster, wait: _Wait) -> None:
    """Wait until nobody waits any more: whoever heard the word has gone on."""
    waiting = list(cluster.peers)
    while waiting:
        answers = ask_all(waiting)
        waiting = [task for task in waiting if answers[task].state in (PREPARING, WAITING)]
        if waiting:
            wait.pause(
                f'{waiting[0]} to go on',
                f'{waiting[0]} did not hear of the start: can it reach {cluster.chief}?',
            )


def _wait_for_chief(cluster: Cluster, devices: int, wait: _Wait, rejoins: bool) -> None:
    chief, seen = cluster.chief, False
    while True:
        answer = _ask_twice([chief])[chief]
        _check(cluster, devices, chief, answer)
        if answer.state == READY or (rejoins and answer.state == RUNNING):
            return
        if answer.state in (PREPARING, WAITING):
            seen = True
            # It has a time limit of its own, and says itself what is missing.
            wait.restart()
        missed = 'is gone' if seen else 'did not start'
        reason = f'{chief} {missed}: no answer within {wait.timeout:g} s (--cluster_timeout)'
        if answer.state == RUNNING:
            reason = f'{chief} trains already, and nobody can join it: start all tasks again'
        wait.pause(f'{chief} {_next_of(answer, seen)}', reason)


def _next_of(answer: Answer, seen: bool) -> str:
    """Decide what comes next from the chief's answer and whether it was seen before."""
    if answer.state == UNREACHABLE:
        return 'to answer again' if seen else 'to start'
    return {
        PREPARING: 'to prepare',
        WAITING: 'to say that all tasks have started',
        RUNNING: 'to end what it trains',
    }[answer.state]


def _check(cluster: Cluster, devices: int, task: Task, answer: Answer) -> None:
    """Raise ConfigError if another task, or one that cannot join, answers at an address."""
    if not answer.is_before_training:
        return
    if answer.task != task.name:
        raise ConfigError(
            f'TF_CONFIG: {task.address} is {task.name} here, but there it is {answer.task}: '
            'all tasks need the same cluster'
        )
    # Parameter servers train on none.
    if {cluster.own, task} <= set(cluster.trainers) and answer.devices != devices:
        plural = '' if devices == 1 else 's'
        raise ConfigError(
            f'--num_gpus: {cluster.own} trains on {devices} device{plural} and {task} on '
            f'{answer.devices}: all workers need the same number'
        )


@dataclass
class _Wait:
    """The pauses of a wait with an end.

    Attributes:
      timeout: seconds until it ends.
      log: gets the purpose of the wait.
      check: is called before each pause, and may raise.
      began: when the seconds began.
      logged: the purpose of the wait that was logged last.
      logged_at: when that was.
      length: of the next pause, in seconds.
    """

    timeout: float
    log: Callable[[str], None]
    check: Callable[[], None]
    began: float = field(default_factory=time.monotonic)
    logged: str = ''
    logged_at: float = field(default_factory=time.monotonic)
    length: float = _FIRST_PAUSE

    def restart(self) -> None:
        """Allow the full time again."""
        self.began = time.monotonic()

    def pause(self, purpose: str, missed: str) -> None:
        """Pause briefly for `purpose`; raise ResourceError with `missed` after too long."""
        self.check()
        now = time.monotonic()
        if now - self.began > self.timeout:
            raise ResourceError(missed)
        # Not at once: where many tasks start, the purpose changes often.
        if now - self.logged_at > (_REMINDER if purpose == self.logged else _SILENCE):
            self.log(f'waiting for {purpose}')
            self.logged, self.logged_at = purpose, now
        time.sleep(self.length)
        self.length = min(1.5 * self.length, _LAST_PAUSE)
