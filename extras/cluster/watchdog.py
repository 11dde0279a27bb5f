"""End this process, with one line that says who, once a peer is gone or frozen; no TensorFlow.

TensorFlow itself would wait for them, for minutes or for ever. A peer is alive as long as it says
something: its server does so in threads of its own, however long a step, a checkpoint, an
evaluation or the features take, and a process that is frozen does not, although it can be reached.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from extras.cluster.job_notes import TaskEnd
from extras.cluster.late_signals import LateSignals, end_process
from extras.cluster.rendezvous import ask_all
from extras.cluster.rendezvous_port import RUNNING, SILENT, Answer
from extras.cluster.tasks import Task
from library.console import log
from library.errors import ResourceError

# Seconds from one round to the next, at most.
_LONGEST_ROUND = 5.0
# Seconds in which a busy peer must say something.
_PATIENT = 3.0
# No round of questions takes longer than so many seconds, unless this process is frozen.
_LONGEST_ASK = 15.0
_WAY_ON = 'start all tasks again, and the run goes on from its last checkpoint'


@dataclass(frozen=True)
class Rules:
    """When a peer is lost, and what that means for this process.

    Attributes:
      timeout: seconds without an answer after which a peer that ran is lost.
      start_timeout: seconds within which a peer must run at all.
      rejoins: True where a peer may start again while this process trains.
      fatal: with whose loss this process must end; the loss of others is only told.
      needed: for whom this process would wait for ever, though they ended well.
      end_of: how that peer ended, if it noted that; asked of those who do not answer. It must
        neither raise nor wait for ever: the watch would end.
    """

    timeout: float
    start_timeout: float
    rejoins: bool
    fatal: Collection[Task]
    needed: Collection[Task]
    end_of: Callable[[Task], TaskEnd | None]


@dataclass
class _Peer:
    """What is known of a peer.

    Attributes:
      task: who it is.
      last: when it was last there, or when the watch began.
      ran: whether it was ever seen training, or coming back.
      is_lost: whether that was told.
    """

    task: Task
    last: float
    ran: bool = False
    is_lost: bool = False

    def note(self, answer: Answer, now: float, rejoins: bool) -> bool:
        """Take an answer down; True if it was lost and is back."""
        # Where nobody rejoins, a port is a peer that has not begun yet.
        if answer.state != RUNNING and not (answer.is_before_training and rejoins):
            return False
        was_lost, self.is_lost = self.is_lost, False
        self.ran, self.last = True, now
        return was_lost


class Watch:
    """What the answers of a round mean by the rules; it knows neither threads nor sockets."""

    def __init__(self, peers: Sequence[Task], rules: Rules, now: float) -> None:
        self._peers, self._rules = [_Peer(task, now) for task in peers], rules

    @property
    def tasks(self) -> list[Task]:
        """Return whom to ask: those who have not finished."""
        return [peer.task for peer in self._peers]

    def judge(self, answers: Mapping[Task, Answer], now: float) -> tuple[list[str], TaskEnd | None]:
        """Judge a round of answers.

        Returns:
          Lines to tell, and how this process must end, or None.
        """
        rules, lines = self._rules, list[str]()
        for peer in list(self._peers):
            task, answer = peer.task, answers[peer.task]
            if peer.note(answer, now, rules.rejoins):
                lines.append(f'{task} is back')
            if peer.is_lost:
                continue
            loss = self._loss_of(peer, answer, now)
            status, way_on = ResourceError.exit_code, f'; {_WAY_ON}'
            end = rules.end_of(task) if loss or not answer.is_there else None
            if end and end.exit_code and not answer.is_there:
                loss, status, way_on = f'{task} ended: {end.line}', end.exit_code, ''
            elif loss is None:
                continue
            elif end and not end.exit_code:
                if task not in rules.needed:
                    self._peers.remove(peer)
                    continue
                loss = f'{task} has ended, and this task cannot go on alone'
            if task in rules.fatal:
                return lines, TaskEnd(status, f'{loss}{way_on}')
            peer.is_lost = True
            lines.append(f'warning: {loss}; the others go on')
        return lines, None

    def _loss_of(self, peer: _Peer, answer: Answer, now: float) -> str | None:
        """Say how a peer is lost; None if it is not."""
        if answer.is_before_training and peer.ran and not self._rules.rejoins:
            return f'{peer.task} has started again, and cannot join those who train'
        limit = self._rules.timeout
        if not peer.ran:
            limit = max(limit, self._rules.start_timeout)
        if now - peer.last <= limit:
            return None
        if not answer.is_there:
            how = 'frozen' if answer.state == SILENT else 'lost'
            return f'{peer.task} has not answered for {limit:g} s: it is {how}'
        return f'{peer.task} has not begun to train within {limit:g} s'


def _ask(tasks: Sequence[Task]) -> Mapping[Task, Answer]:
    return ask_all(tasks, _PATIENT)


class Watchdog:
    """As a context, around all that may wait in TensorFlow; entered in the main thread."""

    def __init__(
        self,
        peers: Sequence[Task],
        rules: Rules,
        ask: Callable[[Sequence[Task]], Mapping[Task, Answer]] = _ask,
        end: Callable[[str, int], None] = end_process,
    ) -> None:
        """Make it.

        Args:
          peers: whom to watch: cluster.peers.
          rules: what their silence means.
          ask: asks the peers.
          end: ends the process with a line and a status.
        """
        self._watch = Watch(peers, rules, time.monotonic())
        self._pause = min(_LONGEST_ROUND, rules.timeout / 4)
        self._ask, self._end = ask, end
        self._signals = LateSignals(end=end)
        self._is_over = threading.Event()

    def __enter__(self) -> Watchdog:
        self._signals.__enter__()
        threading.Thread(target=self._run, name='watchdog', daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        # A round under way notices by itself: nobody waits for its answers.
        self._is_over.set()
        self._signals.__exit__(*exception)

    def _run(self) -> None:
        while not self._is_over.wait(self._pause) and (tasks := self._watch.tasks):
            began = time.monotonic()
            answers = self._ask(tasks)
            if self._is_over.is_set():
                return
            now = time.monotonic()
            # Whoever was frozen in the middle of a question has asked in vain, and asks again.
            if now - began > _LONGEST_ASK:
                continue
            lines, end = self._watch.judge(answers, now)
            for line in lines:
                # Where nobody reads them, the watch goes on.
                with contextlib.suppress(OSError, ValueError):
                    log(line, sys.stderr)
            if end is not None and not self._is_over.is_set():
                self._end(f'error: {end.line}', end.exit_code)
                return
