"""A run and its task to the hooks of training: who watches, who saves, and when it ends."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from library.checkpoints.fit import CheckpointFitHook
from library.checkpoints.saver import SaveWhereDueHook
from extras.cluster.hooks.consensus import AgreementHook
from library.hooks.end_where import EndAtStepHook, EndWhereHook
from library.hooks.finite import FiniteLossHook, FiniteVariablesListener
from library.hooks.progress import ProgressHook
from extras.cluster.hooks.session_start import AwaitStartHook, OneSessionHook, TellStartHook
from library.hooks.stop_on_signal import StopRequest
from library.modes.early_stopping import EarlyStopping
from library.modes.length import run_length
from library.runs.kept_values import save
from library.runtime.distribution_kind import MULTI_WORKER, PARAMETER_SERVER
from library.runtime.experiment import Experiment
from extras.cluster.job_notes import has_started, note_started

Hooks = list[tf.estimator.SessionRunHook]
# Within so many seconds after a peer's time is over, its loss is told.
MISSED_SECONDS = 15
# What a task may want of all of them after a step.
STOP, END, SAVE = 'stop', 'end', 'save'


def hooks_of_chief(experiment: Experiment, request: StopRequest, rules: EarlyStopping) -> Hooks:
    """The hooks of what writes checkpoints: a run on one machine, or the chief of a cluster.

    Args:
      experiment: the run.
      request: knows of signals.
      rules: of an early end. In a cluster the evaluations are another task's.
    """
    hparams, distribution = experiment.hparams, experiment.distribution
    epochs, total = run_length(hparams)
    counts_alone = distribution.kind != PARAMETER_SERVER
    watching = [
        # Before the saver: it evaluates too, and that would count as time of training.
        *experiment.functions.make_hooks(hparams),
        ProgressHook(total, epochs.batch_size, counts_alone=counts_alone),
    ]
    fit = CheckpointFitHook(
        experiment.estimator.latest_checkpoint,
        lambda: save(hparams, hparams.model_dir),
        training=True,
    )
    is_ended = rules.look if distribution.cluster else lambda: rules.is_reached
    if _agrees(experiment):
        return [fit, *_in_step(experiment, request, is_ended, watching)]
    starting = []
    if distribution.kind == PARAMETER_SERVER:
        starting = [TellStartHook(lambda: note_started(hparams.model_dir))]
    saver = SaveWhereDueHook(
        hparams.model_dir, saving_rule(experiment), _listeners(), counts_alone=counts_alone
    )
    return [
        *starting,
        # Before the saver: what is not finite must not be saved.
        FiniteLossHook(),
        fit,
        *watching,
        saver,
        EndWhereHook(is_ended),
        EndWhereHook(lambda: request.is_asked),
        # The Estimator ends at this step too, but where others count it sees an older count.
        EndWhereHook(lambda: saver.step >= total),
    ]


def hooks_of_worker(
    experiment: Experiment, request: StopRequest, is_ended: Callable[[], bool], scratch_dir: str
) -> Hooks:
    """The hooks of a task that trains and keeps nothing.

    Args:
      experiment: the run.
      request: knows of signals.
      is_ended: tells whether the chief has ended training.
      scratch_dir: for what helps the chief to save.
    """
    fit = CheckpointFitHook(experiment.estimator.latest_checkpoint, training=True)
    if _agrees(experiment):
        return [fit, *_in_step(experiment, request, lambda: False, [], scratch_dir)]
    model_dir = experiment.hparams.model_dir
    return [
        FiniteLossHook(),
        fit,
        AwaitStartHook(lambda: has_started(model_dir) or is_ended(), request.raise_if_asked),
        EndWhereHook(lambda: request.is_asked or is_ended()),
        EndAtStepHook(run_length(experiment.hparams)[1]),
    ]


def _agrees(experiment: Experiment) -> bool:
    """True in a cluster whose tasks wait for each other in every step."""
    return experiment.distribution.kind == MULTI_WORKER


def _in_step(
    experiment: Experiment,
    request: StopRequest,
    is_ended: Callable[[], bool],
    watching: Hooks,
    scratch_dir: str | None = None,
) -> Hooks:
    """The hooks of a task that saves, and ends, after the same steps as all others."""
    hparams, is_chief = experiment.hparams, experiment.distribution.is_chief

    def is_time() -> bool:
        seconds = hparams.save_checkpoints_secs
        return is_chief and seconds is not None and saver.waited() >= seconds

    agreement = AgreementHook({STOP: lambda: request.is_asked, END: is_ended, SAVE: is_time})
    rule = saving_rule(experiment)

    def is_over() -> bool:
        if agreement.is_agreed(STOP):
            request.follow()
        return agreement.is_agreed(STOP) or agreement.is_agreed(END)

    saver = SaveWhereDueHook(
        hparams.model_dir,
        # Of the chief's clock: the others would save after another step.
        lambda step, _: rule(step, float('inf') if agreement.is_agreed(SAVE) else 0.0),
        _listeners(),
        scratch_dir=scratch_dir,
    )
    return [
        OneSessionHook(hparams.peer_timeout + MISSED_SECONDS, lambda: request.is_asked),
        agreement,
        FiniteLossHook(),
        *watching,
        saver,
        EndWhereHook(is_over),
    ]


def _listeners() -> list[tf.estimator.CheckpointSaverListener]:
    return [FiniteVariablesListener()]


def saving_rule(experiment: Experiment) -> Callable[[int, float], bool]:
    """Tells of a step, and the seconds since the last checkpoint, whether one is due after it."""
    hparams = experiment.hparams
    epochs, total = run_length(hparams)
    every_epochs = hparams.epochs_between_evals
    steps, seconds = hparams.save_checkpoints_steps, hparams.save_checkpoints_secs

    def is_due(step: int, seconds_since_last: float) -> bool:
        if step == total:
            return True
        if steps:
            return step % steps == 0
        if seconds:
            return seconds_since_last >= seconds
        return epochs.ends_at(step, every_epochs)

    return is_due
