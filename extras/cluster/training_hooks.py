"""Give each task the hooks of training: who watches, who saves, and when it ends."""

from __future__ import annotations

from collections.abc import Callable

from extras.cluster.distribution import distribution_of
from extras.cluster.hooks.consensus import ConsensusHook
from extras.cluster.hooks.scratch_saver import SaveInScratchHook
from extras.cluster.hooks.session_start import AwaitStartHook, OneSessionHook, ReportStartHook
from extras.cluster.hooks.shared_steps import (
    EndAtStepHook,
    SaveSharedStepsHook,
    SharedProgressHook,
)
from extras.cluster.job_notes import has_started, note_started
from extras.cluster.kind import MULTI_WORKER
from extras.cluster.stop_request import TaskStopRequest
from library.checkpoints.fit import CheckpointFitHook
from library.checkpoints.saver import SaveWhereDueHook
from library.hooks.end_where import EndWhereHook
from library.hooks.finite import FiniteLossHook
from library.hooks.progress import ProgressHook
from library.modes.length import run_length
from library.modes.training_hooks import Hooks, fit_hook, saver_listeners, saving_rule
from library.runtime.experiment import Experiment

# Within this many seconds after a peer's timeout, its loss is reported.
MISSED_SECONDS = 15
# What a task may want of all of them after a step.
STOP, END, SAVE = 'stop', 'end', 'save'


def hooks_of_chief(
    experiment: Experiment, request: TaskStopRequest, is_ended: Callable[[], bool]
) -> Hooks:
    """Make the hooks of the task that writes checkpoints.

    Args:
      experiment: the run.
      request: knows of signals.
      is_ended: returns whether the evaluations of another task end the run early.
    """
    hparams = experiment.hparams
    epochs, total = run_length(hparams, experiment.run)
    fit, watching = fit_hook(experiment), experiment.functions.make_hooks(hparams, experiment.run)
    if _agree(experiment):
        watching = [*watching, ProgressHook(total, epochs.batch_size)]
        return [fit, *_in_step(experiment, request, is_ended, watching)]
    saver = SaveSharedStepsHook(hparams.model_dir, saving_rule(experiment), saver_listeners())
    return [
        ReportStartHook(lambda: note_started(hparams.model_dir)),
        # Before the saver: what is not finite must not be saved.
        FiniteLossHook(),
        fit,
        *watching,
        SharedProgressHook(total, epochs.batch_size),
        saver,
        EndWhereHook(is_ended),
        EndWhereHook(lambda: request.is_asked),
        # The Estimator ends at this step too, but sees an older count, as others count too.
        EndWhereHook(lambda: saver.step >= total),
    ]


def hooks_of_worker(
    experiment: Experiment,
    request: TaskStopRequest,
    is_ended: Callable[[], bool],
    scratch_dir: str,
) -> Hooks:
    """Make the hooks of a task that trains and keeps nothing.

    Args:
      experiment: the run.
      request: knows of signals.
      is_ended: returns whether the chief has ended training.
      scratch_dir: for what helps the chief to save.
    """
    fit = CheckpointFitHook(experiment.estimator.latest_checkpoint, training=True)
    if _agree(experiment):
        return [fit, *_in_step(experiment, request, lambda: False, [], scratch_dir)]
    model_dir = experiment.hparams.model_dir
    return [
        FiniteLossHook(),
        fit,
        AwaitStartHook(lambda: has_started(model_dir) or is_ended(), request.raise_if_asked),
        EndWhereHook(lambda: request.is_asked or is_ended()),
        EndAtStepHook(run_length(experiment.hparams, experiment.run)[1]),
    ]


def _agree(experiment: Experiment) -> bool:
    """Return whether the tasks wait for each other in every step."""
    return distribution_of(experiment).kind == MULTI_WORKER


def _in_step(
    experiment: Experiment,
    request: TaskStopRequest,
    is_ended: Callable[[], bool],
    watching: Hooks,
    scratch_dir: str | None = None,
) -> Hooks:
    """Make the hooks of a task that saves, and ends, after the same steps as all others."""
    hparams, is_chief = experiment.hparams, distribution_of(experiment).is_chief
    rule = saving_rule(experiment)

    def is_time() -> bool:
        seconds = hparams.save_checkpoints_secs
        return is_chief and seconds is not None and saver.waited() >= seconds

    consensus = ConsensusHook({STOP: lambda: request.is_asked, END: is_ended, SAVE: is_time})

    def is_due(step: int, seconds: float) -> bool:
        # By the chief's clock: the others would save after another step.
        return rule(step, float('inf') if consensus.is_agreed(SAVE) else 0.0)

    def is_over() -> bool:
        if consensus.is_agreed(STOP):
            request.follow()
        return consensus.is_agreed(STOP) or consensus.is_agreed(END)

    saver = SaveWhereDueHook(hparams.model_dir, is_due, saver_listeners())
    if scratch_dir is not None:
        saver = SaveInScratchHook(hparams.model_dir, scratch_dir, is_due, saver_listeners())
    return [
        OneSessionHook(hparams.peer_timeout + MISSED_SECONDS, lambda: request.is_asked),
        consensus,
        FiniteLossHook(),
        *watching,
        saver,
        EndWhereHook(is_over),
    ]
