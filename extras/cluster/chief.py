"""Lead a cluster: prepare the run for all tasks, train, write checkpoints, say when it is done."""

from __future__ import annotations

from extras.cluster.distribution import cluster_of, distribution_of
from extras.cluster.job_notes import forget_ended, forget_started, forget_task_end, note_ended
from extras.cluster.joint_training import meet_others, train_together, watched
from extras.cluster.rendezvous import ask_all
from extras.cluster.rendezvous_port import PREPARING, RUNNING, RendezvousPort
from extras.cluster.stop_request import ALL_ON, TaskStopRequest
from extras.cluster.training_end import early_end
from extras.cluster.training_hooks import hooks_of_chief
from library.checkpoints.newest import newest_step
from library.console import log
from library.inputs.options import DataOptions, is_offloaded
from library.inputs.sharding import sharding_of
from library.modes.early_stopping import EarlyStopping
from library.modes.evaluations import rules_of
from library.modes.length import run_length
from library.modes.run_opening import opened_run
from library.modes.training_checks import check_model, check_shared_batch
from library.runtime.experiment import Experiment

BEST = 'the evaluator, if there is one, keeps the best'


def lead(experiment: Experiment) -> None:
    """Train as the chief; see `train.run` for what it raises."""
    check_shared_batch(experiment)
    cluster, model_dir = cluster_of(experiment), experiment.hparams.model_dir
    devices = len(experiment.distribution.devices)
    with (
        RendezvousPort(cluster.own, PREPARING, devices) as port,
        opened_run(experiment, evaluates=False) as ready,
    ):
        rules = rules_of(ready)
        end = _end(ready, rules)
        if end is not None:
            check_model(ready)
            note_ended(model_dir, newest_step(model_dir), end)
            log(f'{end}; {BEST}')
            return
        forget_started(model_dir)
        forget_ended(model_dir)
        forget_task_end(model_dir, cluster.own)
        _share_data(ready)
        meet_others(ready, port)
        port.close()
        with TaskStopRequest(ALL_ON) as request, watched(ready):
            train_together(ready, hooks_of_chief(ready, request, early_end(rules)))
            end = _end(ready, rules) or 'stopped'
            # Before this task's own end is noted, after which nobody looks for it any more.
            note_ended(model_dir, newest_step(model_dir), end)
            request.raise_if_asked()
        log(f'{end}; {BEST}')


def _share_data(experiment: Experiment) -> None:
    """Say how the images are divided, and let other extras prepare what all tasks share.

    Raises:
      ConfigError: there are fewer images than tasks.
    """
    hparams, cluster = experiment.hparams, cluster_of(experiment)
    options = hparams.take(DataOptions)
    train = experiment.train_data
    offloaded = is_offloaded(hparams)
    pipelines = len(cluster.trainers)
    log(sharding_of(options, train, pipelines, experiment.run.train_features, offloaded))
    if offloaded:
        _before_training_together(experiment)


def _before_training_together(experiment: Experiment) -> None:
    """Call what other extras do before a cluster trains; see extra.py."""
    answers = ask_all(cluster_of(experiment).peers).values()
    others_are_running = any(answer.state == RUNNING for answer in answers)
    for prepare in distribution_of(experiment).extras.code('before_training_together'):
        prepare(experiment.hparams, others_are_running)


def _end(experiment: Experiment, rules: EarlyStopping) -> str | None:
    """Return why there is nothing more to train; None if there is."""
    step = newest_step(experiment.hparams.model_dir)
    _, total = run_length(experiment.hparams, experiment.run)
    if step >= total:
        return f'step {step}: all {total} steps are trained'
    return f'stopped early: {rules.reason}' if rules.reason else None
