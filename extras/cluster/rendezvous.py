"""Let the tasks of a cluster find each other before the servers of TensorFlow run.

Imports no TensorFlow. Each task but the evaluator opens its own port (rendezvous_port.py). The
chief prepares, waits until all others have opened theirs, and says that it is ready; the others
wait for that word.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from extras.cluster.rendezvous_port import (
    PREPARING,
    READY,
    RUNNING,
    SILENT,
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


def ask_all(tasks: Sequence[Task], timeout: float = 1.0) -> dict[Task, Answer]:
    """Ask several tasks at the same time, each for about `timeout` seconds; never raises."""
    found = dict.fromkeys(tasks, Answer(UNREACHABLE))

    def note(task: Task) -> None:
        found[task] = ask(task.address, timeout)

    # No pool: it would be waited for at the process's end, as long as a name is looked up.
    threads = [threading.Thread(target=note, args=[task], daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 2 * timeout + 1
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0))
    # A copy, to which no late answer comes.
    return dict(found)


def meet(
    cluster: Cluster,
    port: RendezvousPort,
    timeout: float,
    *,
    rejoins: bool,
    is_over: Callable[[], bool] = lambda: False,
) -> bool:
    """Wait until all tasks of the cluster have started; each but the evaluator calls it.

    The chief calls it when it is prepared. Close the port when it returned, and start TensorFlow's
    server then.

    Args:
      cluster: with this process in it.
      port: of this process; says how many devices it has.
      timeout: seconds after which a task that was not seen counts as missing.
      rejoins: True where a task may start again while the others train (parameter servers).
      is_over: is asked between questions whether nobody has to wait for the chief any more.

    Returns:
      False if it was over.

    Raises:
      ResourceError: a task did not start.
      ConfigError: another task knows another cluster, or trains on another number of devices.
    """
    port.state = WAITING
    meeting = _Meeting(cluster, port.devices, timeout, rejoins)
    if cluster.is_chief:
        meeting.wait_for_all()
        port.state = READY
        meeting.wait_until_heard()
    elif not meeting.wait_for_chief(is_over):
        return False
    # For the chief, which may still find the port open.
    port.state = READY
    return True


@dataclass
class _Meeting:
    """What a task waits for, and how long; see `meet` for the first four.

    Attributes:
      began: when the timeout began.
      logged: for what it waits, as was logged last.
      logged_at: when that was.
      pause: the next one's length, in seconds.
    """

    cluster: Cluster
    devices: int
    timeout: float
    rejoins: bool
    began: float = field(default_factory=time.monotonic)
    logged: str = ''
    logged_at: float = field(default_factory=time.monotonic)
    pause: float = _FIRST_PAUSE

    def wait_for_all(self) -> None:
        """Wait, as the chief, until all others have opened their ports."""
        missing = list(self.cluster.peers)
        while True:
            for task, answer in ask_all(missing).items():
                self._check_fits(task, answer)
                # What runs where nobody may rejoin is left from before, and will end.
                if answer.is_there and (self.rejoins or answer.state != RUNNING):
                    missing.remove(task)
            if not missing:
                return
            others = f' and {len(missing) - 1} more' if len(missing) > 1 else ''
            late = f'did not start within {self.timeout:g} s (--cluster_timeout)'
            self._wait(f'{missing[0]}{others} to start', f'{missing[0]}{others} {late}')

    def wait_until_heard(self) -> None:
        """Wait, as the chief, until nobody waits any more: whoever heard the word has gone on."""
        self.began, waiting = time.monotonic(), list(self.cluster.peers)
        while waiting:
            answers = ask_all(waiting)
            # One that is busy may say nothing for a while, and still have to hear.
            on_the_way = (PREPARING, WAITING, SILENT)
            waiting = [task for task in waiting if answers[task].state in on_the_way]
            if waiting:
                deaf = f'did not hear of the start: can it reach {self.cluster.chief}?'
                self._wait(f'{waiting[0]} to go on', f'{waiting[0]} {deaf}')

    def wait_for_chief(self, is_over: Callable[[], bool]) -> bool:
        """Wait until the chief says that it is ready; False if it is over before."""
        chief, seen = self.cluster.chief, False
        while not is_over():
            answer = ask_all([chief])[chief]
            self._check_fits(chief, answer)
            if answer.state == READY or (self.rejoins and answer.state == RUNNING):
                return True
            if answer.is_before_training:
                seen = True
                # It has a time limit of its own, and says itself what it misses.
                self.began = time.monotonic()
            next_of = {
                PREPARING: 'to prepare',
                WAITING: 'to say that all tasks have started',
                RUNNING: 'to end what it trains',
            }
            unanswered = 'to answer again' if seen else 'to start'
            missed = 'is gone' if seen else 'did not start'
            missed += f': no answer within {self.timeout:g} s (--cluster_timeout)'
            if answer.state == RUNNING:
                missed = 'trains already, and nobody can join it: start all tasks again'
            self._wait(f'{chief} {next_of.get(answer.state, unanswered)}', f'{chief} {missed}')
        return False

    def _check_fits(self, task: Task, answer: Answer) -> None:
        """Raise ConfigError if at a task's address another one stands, or one that cannot join."""
        if not answer.is_before_training:
            return
        if answer.task != task.name:
            raise ConfigError(
                f'TF_CONFIG: {task.address} is {task.name} here, but there it is {answer.task}: '
                'all tasks need the same cluster'
            )
        # Parameter servers train on none.
        own, trainers = self.cluster.own, self.cluster.trainers
        if {own, task} <= set(trainers) and answer.devices != self.devices:
            plural = '' if self.devices == 1 else 's'
            raise ConfigError(
                f'--num_gpus: {own} trains on {self.devices} device{plural} and {task} on '
                f'{answer.devices}: all workers need the same number'
            )

    def _wait(self, purpose: str, missed: str) -> None:
        """Wait a little for `purpose`; raise ResourceError with `missed` if it was too long."""
        now = time.monotonic()
        if now - self.began > self.timeout:
            raise ResourceError(missed)
        # Not at once: where many tasks start, the purpose changes often.
        if now - self.logged_at > (_REMINDER if purpose == self.logged else _SILENCE):
            log(f'waiting for {purpose}')
            self.logged, self.logged_at = purpose, now
        time.sleep(self.pause)
        self.pause = min(1.5 * self.pause, _LAST_PAUSE)
