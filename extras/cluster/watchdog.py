"""End this process, with one line that names the peer, once a peer is gone; no TensorFlow.

TensorFlow itself would wait for them, for minutes or for ever.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from extras.cluster.job_notes import Failed
from extras.cluster.late_signals import LateSignals, end_process
from extras.cluster.rendezvous import ask_all
from extras.cluster.rendezvous_port import RUNNING, UNREACHABLE, Answer
from extras.cluster.tasks import Task
from library.console import log
from library.errors import ResourceError

# Seconds from one round to the next, at most.
_LONGEST_ROUND = 5.0
# Seconds in which a busy peer can say that it has not begun: silence means that it trains.
_PATIENT = 3.0
_WAY_ON = 'start all tasks again, and the run goes on from its last checkpoint'


@dataclass
class _Peer:
    """What is known of a peer.

    Attributes:
      task: who it is.
      last: when it last answered, or when the watch began.
      rounds: how many times in a row it was seen training.
      ran: whether it certainly ran at some time; only two silences in a row prove it.
      is_lost: whether its loss was reported.
    """

    task: Task
    last: float
    rounds: int = 0
    ran: bool = False
    is_lost: bool = False

    def note(self, answer: Answer, now: float, rejoins: bool) -> bool:
        """Note an answer.

        Returns:
          True if it was lost and is back.
        """
        self.rounds = self.rounds + 1 if answer.state == RUNNING else 0
        # Where nobody rejoins, such a port is a peer that has not begun yet.
        is_back = answer.is_before_training and rejoins
        if not (self.rounds or is_back):
            return False
        was_lost, self.is_lost = self.is_lost, False
        self.ran = self.ran or self.rounds > 1 or is_back
        self.last = now
        return was_lost


class Watch:
    """The rules: what the answers of a round mean, without threads or sockets."""

    def __init__(
        self,
        peers: Sequence[Task],
        timeout: float,
        start_timeout: float,
        *,
        fatal: Callable[[Task], bool],
        rejoins: bool,
        has_finished: Callable[[Task], bool],
        failure: Callable[[Task], Failed | None],
        needed: Callable[[Task], bool],
        now: float,
    ) -> None:
        """Begin to watch; the arguments are those of `Watchdog`, and the clock's reading."""
        self._peers = [_Peer(task, now) for task in peers]
        self._timeout, self._start_timeout = timeout, max(timeout, start_timeout)
        self._fatal, self._rejoins = fatal, rejoins
        self._has_finished, self._failure, self._needed = has_finished, failure, needed

    @property
    def tasks(self) -> list[Task]:
        """Return whom to ask: those who have not finished."""
        return [peer.task for peer in self._peers]

    def judge(self, answers: Mapping[Task, Answer], now: float) -> tuple[list[str], Failed | None]:
        """Judge the answers of a round.

        Returns:
          Lines to print, and why and how this process must end, or None.
        """
        lines: list[str] = []
        for peer in list(self._peers):
            task, answer = peer.task, answers[peer.task]
            if peer.note(answer, now, self._rejoins):
                lines.append(f'{task} is back')
            failure = self._failure_of(peer, answer)
            loss = failure.line if failure else self._loss_of(peer, answer, now)
            if loss is None:
                continue
            if failure is None and self._has_finished(task):
                if self._needed(task):
                    line = f'{task} has ended, and this task cannot go on alone; {_WAY_ON}'
                    return lines, Failed(line, ResourceError.exit_code)
                self._peers.remove(peer)
            elif self._fatal(task):
                return lines, failure or Failed(f'{loss}; {_WAY_ON}', ResourceError.exit_code)
            else:
                peer.is_lost = True
                lines.append(f'warning: {loss}; the others go on')
        return lines, None

    def _failure_of(self, peer: _Peer, answer: Answer) -> Failed | None:
        """Return, once, the error by which a lost peer ended, if it noted one."""
        if peer.is_lost or answer.state != UNREACHABLE:
            return None
        failure = self._failure(peer.task)
        return failure and Failed(f'{peer.task} ended: {failure.line}', failure.exit_code)

    def _loss_of(self, peer: _Peer, answer: Answer, now: float) -> str | None:
        """Say how a peer is lost; None if it is not, or if that was reported."""
        if peer.is_lost:
            return None
        if answer.is_before_training and peer.ran and not self._rejoins:
            return f'{peer.task} has started again, and cannot join those who train'
        limit = self._timeout if peer.ran else self._start_timeout
        if now - peer.last <= limit:
            return None
        if answer.state == UNREACHABLE:
            return f'{peer.task} has not answered for {limit:g} s: it is lost'
        return f'{peer.task} has not begun to train within {limit:g} s'


def _ask(tasks: Sequence[Task]) -> Mapping[Task, Answer]:
    return ask_all(tasks, _PATIENT)


class Watchdog:
    """Guard all that may wait in TensorFlow; a context that the main thread enters."""

    def __init__(
        self,
        peers: Sequence[Task],
        timeout: float,
        start_timeout: float,
        *,
        fatal: Callable[[Task], bool],
        rejoins: bool,
        has_finished: Callable[[Task], bool],
        handled: Callable[[], bool],
        failure: Callable[[Task], Failed | None] = lambda task: None,
        needed: Callable[[Task], bool] = lambda task: False,
        ask: Callable[[Sequence[Task]], Mapping[Task, Answer]] = _ask,
        end: Callable[[str, int], None] = end_process,
    ) -> None:
        """Set up the watch.

        Args:
          peers: whom to watch: cluster.peers.
          timeout: seconds without an answer after which a peer that ran is lost.
          start_timeout: seconds within which a peer must run at all.
          fatal: whether this process must end with that peer; otherwise its loss is only reported.
          rejoins: True where a peer may start again while this process trains.
          has_finished: whether that peer came to its end in good order; asked of the lost alone.
            Neither this nor `failure` may raise: the watch would end.
          handled: whether the main thread knows of a signal that came, such as
            `lambda: request.signal_number is not None`.
          failure: the error by which a peer that does not answer ended, if it noted one.
          needed: whether this process would wait for ever for that peer, although it ended well.
          ask: asks the peers.
          end: ends the process with a line and a status.
        """
        self._watch = Watch(
            peers,
            timeout,
            start_timeout,
            fatal=fatal,
            rejoins=rejoins,
            has_finished=has_finished,
            failure=failure,
            needed=needed,
            now=time.monotonic(),
        )
        self._pause = min(_LONGEST_ROUND, timeout / 4)
        self._ask, self._end = ask, end
        self._signals = LateSignals(handled, end=end)
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
            answers = self._ask(tasks)
            if self._is_over.is_set():
                return
            lines, failed = self._watch.judge(answers, time.monotonic())
            for line in lines:
                # Where nobody reads them, the watch goes on.
                with contextlib.suppress(OSError, ValueError):
                    log(line, sys.stderr)
            if failed is not None and not self._is_over.is_set():
                self._end(f'error: {failed.line}', failed.exit_code)
                return
