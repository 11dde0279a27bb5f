"""Train, evaluate after every checkpoint, keep the best; started again, go on to the same end."""

from __future__ import annotations

import math
import os

import tensorflow as tf

from library.checkpoints.newest import newest_step
from library.config.hparams import HParams
from library.console import log
from library.hooks.stop_on_signal import StopEvaluationHook, StopRequest
from library.modes.evaluations import Evaluations
from library.modes.length import run_length
from library.modes.run_opening import opened_run
from library.modes.training_checks import check_model, check_shared_batch
from library.modes.training_hooks import saving_rule, training_hooks
from library.runtime.experiment import Experiment


def run(experiment: Experiment) -> int:
    """Train to the end of the run's length; return the exit code.

    Where several processes train together, this one does its own part of that.

    Raises:
      ConfigError: the devices cannot share a batch.
      MismatchError: the run's checkpoint does not fit these options, or none can be read.
      NumericalError: the loss, or a variable, is not finite.
      ResourceError: another process trains in this folder.
      Stopped: a signal came; a checkpoint was saved.
    """
    experiment.distribution.train(experiment, train_alone)
    return 0


def train_alone(experiment: Experiment) -> None:
    """Train and evaluate in this process; see `run`."""
    check_shared_batch(experiment)
    with opened_run(experiment, evaluates=True) as ready:
        _run(ready)


def _run(experiment: Experiment) -> None:
    hparams, estimator = experiment.hparams, experiment.estimator
    _, total = run_length(hparams, experiment.run)
    with StopRequest(_way_on(hparams)) as request:
        evaluations = Evaluations(experiment, [StopEvaluationHook(request)])
        rules = evaluations.rules
        step = newest_step(estimator.model_dir)
        ends = step >= total or rules.is_reached
        # A checkpoint that a signal left between two evaluations is not for evaluation.
        is_due = ends or saving_rule(experiment)(step, math.inf)
        if step > 0 and is_due and not evaluations.has(step):
            checkpoint = estimator.latest_checkpoint()
            log(f'{os.path.basename(checkpoint)} was never evaluated: doing that first')
            evaluations.evaluate(checkpoint)
        if step >= total:
            check_model(experiment)
            log(f'step {step}: all {total} steps are trained already')
        elif rules.reason:
            check_model(experiment)
            log(f'stopped early: {rules.reason}')
        else:
            train_spec = tf.estimator.TrainSpec(
                experiment.batches(tf.estimator.ModeKeys.TRAIN),
                total,
                training_hooks(experiment, request, rules),
            )
            tf.estimator.train_and_evaluate(estimator, train_spec, evaluations.spec)
            request.raise_if_asked()
    evaluations.finish()


def _way_on(hparams: HParams) -> str:
    """Say what to type to go on with a run that was stopped."""
    if hparams.clean or hparams.time_stamped:
        once = ' and without --clean' if hparams.clean else ''
        return f'the same command with --model_dir {hparams.model_dir}{once} goes on from there'
    return 'the same command goes on from there'
