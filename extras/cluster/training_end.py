"""Tell workers, parameter servers and the evaluator that the chief has finished."""

from __future__ import annotations

import time
from collections.abc import Callable

from extras.cluster.job_notes import Ended, read_ended
from extras.cluster.stop_request import TaskStopRequest
from library.checkpoints.newest import newest_step
from library.modes.early_stopping import EarlyStopping
from library.modes.evaluations import rules_of
from library.modes.length import run_length
from library.runtime.experiment import Experiment

# How often a file is looked for where something else goes on.
LOOK_SECONDS = 5.0


def is_trained(experiment: Experiment) -> bool:
    """Return whether the chief's note says that the run has ended, by this task's own options.

    An older start may have left the note, and this one goes on to more steps, or by other rules.
    """
    model_dir = experiment.hparams.model_dir
    ended = read_ended(model_dir)
    # Somebody may have taken the checkpoints away, and not the note.
    if ended is None or newest_step(model_dir) < ended.step:
        return False
    return _is_run_end(experiment, ended)


def follow_chief(experiment: Experiment, request: TaskStopRequest) -> None:
    """Stop, as by a signal, if the chief noted an end before the run's own.

    Args:
      experiment: the run.
      request: is stopped.
    """
    ended = read_ended(experiment.hparams.model_dir)
    if ended is not None and not _is_run_end(experiment, ended):
        request.follow()


def _is_run_end(experiment: Experiment, ended: Ended) -> bool:
    _, total = run_length(experiment.hparams, experiment.run)
    return ended.step >= total or rules_of(experiment).is_reached


def early_end(rules: EarlyStopping) -> Lookout:
    """Look whether the rules, which have just judged, end the run by another task's evaluations."""

    def is_reached() -> bool:
        if rules.is_asked and not rules.is_reached:
            rules.judge()
        return rules.is_reached

    return Lookout(is_reached, LOOK_SECONDS)


class Lookout:
    """Ask now and then, until the answer is yes; then it stays so."""

    def __init__(self, is_there: Callable[[], bool], first: float = 0.0) -> None:
        """Make it.

        Args:
          is_there: reads a file; in a bucket that takes a while.
          first: seconds until it is asked first.
        """
        self._is_there, self._was_there = is_there, False
        self._next_look = time.monotonic() + first

    def __call__(self) -> bool:
        """Return the newest answer."""
        if not self._was_there and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_SECONDS
            self._was_there = self._is_there()
        return self._was_there


def chief_has_ended(model_dir: str) -> Lookout:
    """Look whether the chief has noted an end, be it before the run's own."""
    return Lookout(lambda: read_ended(model_dir) is not None)


class EndNotice:
    """Whether the chief has noted an end; what an older start left does not count."""

    def __init__(self, model_dir: str) -> None:
        self._model_dir, self._older = model_dir, read_ended(model_dir)

    def is_there(self) -> bool:
        """Return whether it has; the chief takes the older note away when it starts."""
        ended = read_ended(self._model_dir)
        if ended == self._older:
            return False
        self._older = None
        return ended is not None
