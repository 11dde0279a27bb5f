"""Give a run the hooks of training: who watches, who saves, and when it ends."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from library.checkpoints.fit import CheckpointFitHook
from library.checkpoints.saver import SaveWhereDueHook
from library.hooks.end_where import EndWhereHook
from library.hooks.finite import FiniteLossHook, FiniteVariablesListener
from library.hooks.progress import ProgressHook
from library.hooks.stop_on_signal import StopRequest
from library.modes.early_stopping import EarlyStopping
from library.modes.length import run_length
from library.runs.kept_values import save
from library.runtime.experiment import Experiment

Hooks = list[tf.estimator.SessionRunHook]


def training_hooks(experiment: Experiment, request: StopRequest, rules: EarlyStopping) -> Hooks:
    """Make the hooks of a run on one machine.

    Args:
      experiment: the run.
      request: knows of signals.
      rules: of an early end.
    """
    hparams = experiment.hparams
    epochs, total = run_length(hparams, experiment.run)
    saver = SaveWhereDueHook(hparams.model_dir, saving_rule(experiment), saver_listeners())
    return [
        # Before the saver: what is not finite must not be saved.
        FiniteLossHook(),
        fit_hook(experiment),
        # Before the saver: it evaluates too, and that would count as time of training.
        *experiment.functions.make_hooks(hparams, experiment.run),
        ProgressHook(total, epochs.batch_size),
        saver,
        EndWhereHook(lambda: rules.is_reached),
        EndWhereHook(lambda: request.is_asked),
        # The Estimator ends at this step too, but where others count it sees an older count.
        EndWhereHook(lambda: saver.step >= total),
    ]


def fit_hook(experiment: Experiment) -> CheckpointFitHook:
    """Make the hook that refuses a checkpoint of another model, and then keeps the run's values."""
    hparams = experiment.hparams
    return CheckpointFitHook(
        experiment.estimator.latest_checkpoint,
        lambda: save(hparams, experiment.run, hparams.model_dir),
        training=True,
    )


def saver_listeners() -> list[tf.estimator.CheckpointSaverListener]:
    """Make the listeners that hear of each checkpoint before it is saved."""
    return [FiniteVariablesListener()]


def saving_rule(experiment: Experiment) -> Callable[[int, float], bool]:
    """Give what tells of a step, and the seconds since the last checkpoint, whether one is due."""
    hparams = experiment.hparams
    epochs, total = run_length(hparams, experiment.run)
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
