"""The chief: prepares the run for all tasks, trains, writes checkpoints, says when it is done."""

from __future__ import annotations

from library.checkpoints.newest import newest_step
from library.console import say
from library.hooks.stop_on_signal import ALL_ON, StopRequest
from library.inputs.options import DataOptions
from library.inputs.service_job import begin_job
from library.inputs.sharding import sharding_of
from library.modes.checks import check_model
from extras.cluster.joint_training import (
    cluster_of,
    meet_others,
    train_together,
    watched,
)
from library.modes.early_stopping import EarlyStopping
from library.modes.evaluations import rules_of
from library.modes.length import run_length
from library.modes.run_opening import opened_run
from library.modes.training_hooks import hooks_of_chief
from library.runtime.experiment import Experiment
from extras.cluster.job_notes import (
    forget_ended,
    forget_finished,
    forget_started,
    note_ended,
)
from extras.cluster.rendezvous import PREPARING, RUNNING, Door, ask_all

BEST = 'the evaluator, if there is one, keeps the best'


def lead(experiment: Experiment) -> None:
    """Trains as the chief; see `train.run` for what it raises."""
    cluster, model_dir = cluster_of(experiment), experiment.hparams.model_dir
    devices = len(experiment.distribution.devices)
    with (
        Door(cluster.own, PREPARING, devices) as door,
        opened_run(experiment, evaluates=False) as ready,
    ):
        rules = rules_of(ready)
        end = _end(ready, rules)
        if end is not None:
            check_model(ready)
            note_ended(model_dir, newest_step(model_dir), end)
            say(f'{end}; {BEST}')
            return
        forget_started(model_dir)
        forget_ended(model_dir)
        forget_finished(model_dir, cluster.own)
        _share_data(ready)
        meet_others(ready, door)
        door.close()
        with StopRequest(ALL_ON) as request, watched(ready, request):
            train_together(ready, hooks_of_chief(ready, request, rules))
            end = _end(ready, rules) or 'stopped'
            # Before this task's own end is noted, after which nobody looks for it any more.
            note_ended(model_dir, newest_step(model_dir), end)
            request.raise_if_asked()
        say(f'{end}; {BEST}')


def _share_data(experiment: Experiment) -> None:
    """Says how the images are divided, and opens the stream that all tasks share, if there is one.

    Raises:
      ConfigError: there are fewer images than tasks.
    """
    hparams, cluster = experiment.hparams, cluster_of(experiment)
    options = hparams.take(DataOptions)
    train = experiment.train_data
    say(sharding_of(options, train, len(cluster.trainers), hparams.train_features))
    if not options.data_service:
        return
    # Whoever trains already, with parameter servers, goes on to read the stream of before.
    if all(answer.state != RUNNING for answer in ask_all(cluster.peers).values()):
        begin_job(hparams.model_dir)


def _end(experiment: Experiment, rules: EarlyStopping) -> str | None:
    """Why there is nothing more to train; None if there is."""
    step, (_, total) = newest_step(experiment.hparams.model_dir), run_length(experiment.hparams)
    if step >= total:
        return f'step {step}: all {total} steps are trained'
    return f'stopped early: {rules.reason}' if rules.reason else None
