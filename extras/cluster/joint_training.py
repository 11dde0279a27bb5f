"""Train together: from the rendezvous of all tasks to the end of one of them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator

import tensorflow as tf

from extras.cluster.distribution import cluster_of, distribution_of
from extras.cluster.hooks.stalled import StalledHook
from extras.cluster.job_notes import (
    TaskEnd,
    forget_task_end,
    note_task_end,
    read_task_end_in_time,
)
from extras.cluster.late_signals import end_process
from extras.cluster.options import ClusterOptions
from extras.cluster.rendezvous import meet
from extras.cluster.rendezvous_port import RendezvousPort
from extras.cluster.training_end import chief_has_ended, is_trained
from extras.cluster.watchdog import Rules, Watchdog
from library.console import log
from library.errors import ScaffoldError, Stopped
from library.modes.length import run_length
from library.modes.training_hooks import Hooks
from library.runtime.experiment import Experiment


def met(experiment: Experiment) -> bool:
    """Wait until all tasks of the cluster have started; for all but the chief.

    Returns:
      False if there is nothing to train.

    Raises:
      ResourceError: a task did not start.
    """
    cluster, model_dir = cluster_of(experiment), experiment.hparams.model_dir
    forget_task_end(model_dir, cluster.own)
    is_ended = chief_has_ended(model_dir)

    def is_over() -> bool:
        # A chief that has nothing to do says so in its note, and does not wait.
        return is_ended() and is_trained(experiment)

    if not is_over():
        with RendezvousPort(cluster.own, devices=len(experiment.distribution.devices)) as port:
            if meet_others(experiment, port, is_over):
                return True
    log(f'{cluster.own}: the run is trained already')
    return False


def meet_others(
    experiment: Experiment, port: RendezvousPort, is_over: Callable[[], bool] = lambda: False
) -> bool:
    """Wait until all tasks of the cluster have started; False if it is over before.

    Raises:
      ResourceError: one did not.
    """
    timeout = experiment.hparams.take(ClusterOptions).cluster_timeout
    rejoins = distribution_of(experiment).rejoins
    return meet(cluster_of(experiment), port, timeout, rejoins=rejoins, is_over=is_over)


@contextlib.contextmanager
def watched(experiment: Experiment, scratch_dir: str | None = None) -> Iterator[None]:
    """End this process where another one is lost; note for the others how this one ends.

    Args:
      experiment: the run.
      scratch_dir: a folder that goes with the process.
    """
    cluster, model_dir = cluster_of(experiment), experiment.estimator.model_dir

    def clear() -> None:
        if scratch_dir is not None:
            shutil.rmtree(scratch_dir, ignore_errors=True)

    def end(line: str, status: int) -> None:
        clear()
        end_process(line, status)

    with (
        contextlib.ExitStack() as at_end,
        Watchdog(cluster.peers, watch_rules(experiment), end=end),
    ):
        at_end.callback(clear)
        try:
            yield
        except Stopped:
            note_task_end(model_dir, cluster.own, TaskEnd())
            raise
        except ScaffoldError as error:
            note_task_end(model_dir, cluster.own, TaskEnd(error.exit_code, str(error)))
            raise
        note_task_end(model_dir, cluster.own, TaskEnd())


def watch_rules(experiment: Experiment) -> Rules:
    """Return by which rules a task watches its peers."""
    cluster, model_dir = cluster_of(experiment), experiment.estimator.model_dir
    options, rejoins = experiment.hparams.take(ClusterOptions), distribution_of(experiment).rejoins
    served = cluster.parameter_servers
    return Rules(
        timeout=options.peer_timeout,
        start_timeout=options.cluster_timeout,
        rejoins=rejoins,
        # Parameter servers hold what a new worker goes on from; a new chief starts anew.
        fatal={cluster.chief, *served} if rejoins else set(cluster.tasks),
        # A worker that came late may find that all is over: nobody would give it variables, or sum
        # up with it. The chief alone may take long after the others have ended: it saves.
        needed=set(served) if rejoins else {cluster.chief},
        end_of=lambda task: read_task_end_in_time(model_dir, task),
    )


def train_together(experiment: Experiment, hooks: Hooks) -> None:
    """Train this task's part of every step, to the end of the run's length."""
    _, total = run_length(experiment.hparams, experiment.run)
    modes = tf.estimator.ModeKeys
    hooks = [*hooks, StalledHook(experiment.hparams.peer_timeout)]
    train_spec = tf.estimator.TrainSpec(experiment.batches(modes.TRAIN), total, hooks)
    # It must be given; the evaluator alone evaluates.
    eval_spec = tf.estimator.EvalSpec(experiment.batches(modes.EVAL))
    with distribution_of(experiment).scope():
        tf.estimator.train_and_evaluate(experiment.estimator, train_spec, eval_spec)
