"""Tell workers, parameter servers and the evaluator that the chief has finished."""

from __future__ import annotations

import time

from extras.cluster.job_notes import Ended, read_ended
from extras.cluster.stop_request import TaskStopRequest
from library.checkpoints.newest import newest_step
from library.modes.evaluations import rules_of
from library.modes.length import run_length
from library.runtime.experiment import Experiment

# Seconds between two looks for the note in passing: reading from a bucket takes a while.
LOOK_SECONDS = 5.0


def is_trained(experiment: Experiment) -> bool:
    """Return True if the chief noted the end of the run, as this task's own options define it.

    An older start may have left the note, and this one goes on to more steps, or by other rules.
    """
    model_dir = experiment.hparams.model_dir
    ended = read_ended(model_dir)
    # Somebody may have taken the checkpoints away, and not the note.
    if ended is None or newest_step(model_dir) < ended.step:
        return False
    return _is_run_end(experiment, ended)


def follow_chief(experiment: Experiment, request: TaskStopRequest) -> None:
    """Stop, as on a signal, if the chief noted an end before the run's own.

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


class EndNotice:
    """Watch for the chief's note of an end, even one before the run's own."""

    def __init__(self, experiment: Experiment, before: Ended | None = None):
        """Start watching.

        Args:
          experiment: the run.
          before: a note that may be an older start's, and does not count; this start's chief
            removes it when it starts.
        """
        self._model_dir, self._before = experiment.hparams.model_dir, before
        self._is_there = False
        self._next_look = 0.0

    def is_there(self) -> bool:
        """Return True once the note exists."""
        ended = read_ended(self._model_dir)
        if ended != self._before:
            self._before = None
            self._is_there = ended is not None
        return self._is_there

    def look(self) -> bool:
        """Return the same, but read the file only from time to time."""
        if not self._is_there and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_SECONDS
            self.is_there()
        return self._is_there
