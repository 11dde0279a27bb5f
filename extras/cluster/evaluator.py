"""Evaluate checkpoints and keep the best, while others train."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time

import tensorflow as tf

from extras.cluster.distribution import cluster_of
from extras.cluster.job_notes import read_task_end
from extras.cluster.options import ClusterOptions
from extras.cluster.rendezvous_port import ask
from extras.cluster.stop_request import ALL_ON, TaskStopRequest
from extras.cluster.training_end import EndNotice, is_trained
from library.checkpoints.newest import newest_checkpoint, newest_step
from library.checkpoints.readable import is_readable
from library.checkpoints.snapshots import copy_checkpoint
from library.console import log
from library.errors import MismatchError, ResourceError
from library.hooks.stop_on_signal import StopEvaluationHook
from library.modes.evaluations import Evaluations
from library.modes.feature_cache.cache import with_cached_features
from library.runs.kept_values import read_saved
from library.runs.lock import only_trainer
from library.runs.metadata import kept_metadata
from library.runtime.experiment import Experiment

LOOK_SECONDS = 1.0
_WAY_ON = 'the same command goes on with what is not evaluated'


def evaluate_while_others_train(experiment: Experiment) -> None:
    """Evaluate each checkpoint that is found to be the newest, until training is done.

    Raises:
      ResourceError: the chief is gone, and did not say that training is done; another process
        keeps the best checkpoints.
      Stopped: a signal came, here or to the chief.
    """
    hparams = experiment.hparams
    with only_trainer(hparams.best_model_dir), TaskStopRequest(_WAY_ON, saves=False) as request:
        log(f'evaluating what {cluster_of(experiment).chief} saves in {hparams.model_dir}')
        _Evaluator(experiment, request).run()


class _Evaluator:
    """Looks for checkpoints, and for the end."""

    def __init__(self, experiment: Experiment, request: TaskStopRequest):
        self._experiment, self._request = experiment, request
        self._model_dir = experiment.hparams.model_dir
        self._chief = _Chief(experiment)
        self._notice = EndNotice(self._model_dir)
        self._evaluations: Evaluations | None = None

    def run(self) -> None:
        """Evaluate until training is done."""
        last = None
        while True:
            self._request.raise_if_asked()
            # Before the checkpoint is looked for: the last one was there when this was noted.
            is_done, is_stopped = is_trained(self._experiment), self._notice.is_there()
            newest = newest_checkpoint(self._model_dir)
            if newest and newest != last and newest_step(self._model_dir) > 0:
                if self._evaluate_copy(newest):
                    last = newest
                    self._wait()
                    continue
            elif is_done:
                break
            elif is_stopped:
                self._request.follow()
                continue
            self._chief.check()
            time.sleep(LOOK_SECONDS)
        if self._evaluations is not None:
            self._evaluations.finish()

    def _evaluate_copy(self, checkpoint: str) -> bool:
        """Evaluate a checkpoint if it was not; False if it was removed before it was copied.

        The chief keeps the newest few only, and an evaluation with its exports may take long.
        """
        name = os.path.basename(checkpoint)
        with tempfile.TemporaryDirectory() as folder:
            copy = os.path.join(folder, name)
            with contextlib.suppress(FileNotFoundError, tf.errors.NotFoundError):
                copy_checkpoint(checkpoint, folder, name)
            if not os.path.exists(f'{copy}.index') or not is_readable(copy):
                return False
            if self._evaluations is None:
                self._evaluations = self._prepared()
            if not self._evaluations.has(int(name.rsplit('-', 1)[1])):
                self._evaluations.evaluate(copy)
        return True

    def _prepared(self) -> Evaluations:
        """Make the evaluations of the run that the chief trains: it made what tells runs apart."""
        experiment = self._experiment
        saved = read_saved(self._model_dir)
        if saved is None:
            raise MismatchError(f'{self._model_dir}: there are checkpoints, and no hparams.yaml')
        kept = kept_metadata(saved, ('run_id', 'module_from'))
        experiment = experiment.found('the chief', run_id=kept.run_id, module_from=kept.module_from)
        ready = with_cached_features(experiment, None, builds=False)
        return Evaluations(ready, [StopEvaluationHook(self._request)])

    def _wait(self) -> None:
        """Keep the time between two evaluations; the last one needs no waiting."""
        seconds = self._experiment.hparams.eval_throttle_secs
        last = time.monotonic() + seconds
        while time.monotonic() < last and not is_trained(self._experiment):
            self._request.raise_if_asked()
            time.sleep(min(LOOK_SECONDS, seconds))


class _Chief:
    """Whether the chief is there: the evaluator is no part of the cluster, and nobody calls it."""

    def __init__(self, experiment: Experiment):
        self._chief, self._model_dir = cluster_of(experiment).chief, experiment.hparams.model_dir
        self._options, self._seen = experiment.hparams.take(ClusterOptions), False
        self._silent_since: float | None = None

    def check(self) -> None:
        """Raise ResourceError if it has not answered for too long."""
        if ask(self._chief.address).is_there:
            self._seen, self._silent_since = True, None
            return
        end = read_task_end(self._model_dir, self._chief) if self._seen else None
        if end is not None and end.exit_code:
            raise ResourceError(f'{self._chief} ended: {end.line}')
        timeout, what = self._options.cluster_timeout, 'did not start within'
        if self._seen:
            timeout, what = self._options.peer_timeout, 'has not answered for'
        # Not since the last answer: while this task evaluates it does not ask.
        self._silent_since = self._silent_since or time.monotonic()
        if time.monotonic() - self._silent_since > timeout:
            raise ResourceError(f'{self._chief} {what} {timeout} s: {ALL_ON}')
