"""Train with other processes: the strategy between machines, and each task's share of the work."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import tensorflow as tf

from extras.cluster.kind import MULTI_WORKER, PARAMETER_SERVER, kind_of, replicas_of
from extras.cluster.options import ClusterOptions
from extras.cluster.sync_replicas import collecting
from extras.cluster.tasks import Cluster, read_cluster
from extras.cluster.tf_config import CHIEF, EVALUATOR, PS, TF_CONFIG, WORKER
from library.config.hparams import HParams
from library.cores import count_cores
from library.extras import Extras, load
from library.models.placement import own_device_is
from library.runtime import distribution
from library.runtime.distribution import (
    Distribution,
    ModelFn,
    count_gpus,
    devices_asked,
    show_devices,
    trains,
    with_visible_gpus,
)
from library.runtime.experiment import Experiment
from library.runtime.options import DistributionOptions

# What does each job's part of a run; imported when it is called, for it asks this module back.
_PARTS = {
    CHIEF: 'chief:lead',
    WORKER: 'worker:work',
    PS: 'parameter_server:serve',
    EVALUATOR: 'evaluator:evaluate_while_others_train',
}


@dataclass(frozen=True)
class ClusterDistribution(Distribution):
    """One task among those that train a model.

    Attributes:
      strategy: None with parameter servers, and in the evaluator.
      kind: MULTI_WORKER or PARAMETER_SERVER.
      cluster: the tasks, of which this process is one.
      collects: each step takes gradients of several workers (--sync_replicas).
      extras: those of this clone, for what they do before a cluster trains.
    """

    kind: str
    cluster: Cluster
    collects: bool = False
    extras: Extras = field(default_factory=Extras)

    @property
    def is_alone(self) -> bool:
        """Return False: the others train the same model."""
        return False

    @property
    def rejoins(self) -> bool:
        """Return True where a task may start again while the others train."""
        return self.kind == PARAMETER_SERVER

    @property
    def is_chief(self) -> bool:
        """Return True if this process writes checkpoints."""
        return self.cluster.is_chief

    def input_context(
        self, given: tf.distribute.InputContext | None
    ) -> tf.distribute.InputContext | None:
        """Choose the share of the training images that this task reads; see Distribution.

        Args:
          given: the Estimator's own context; None with parameter servers.
        """
        if self.kind == MULTI_WORKER:
            return given
        return tf.distribute.InputContext(
            num_input_pipelines=len(self.cluster.trainers),
            input_pipeline_id=self.cluster.number,
            num_replicas_in_sync=self.replicas,
        )

    def wrapped(self, model_fn: ModelFn) -> ModelFn:
        """Wrap the model_fn so that a worker that trains keeps to itself what nobody shares."""
        if self.kind != PARAMETER_SERVER or self.cluster.own not in self.cluster.trainers:
            return model_fn
        inner = collecting(model_fn, self.replicas) if self.collects else model_fn
        own = self.cluster.own

        def on_own_device(
            features: Any, labels: Any, mode: str, params: Any, config: Any
        ) -> tf.estimator.EstimatorSpec:
            if mode != tf.estimator.ModeKeys.TRAIN:
                return model_fn(features, labels, mode, params, config)
            with own_device_is(f'/job:{own.job}/task:{own.index}'):
                return inner(features, labels, mode, params, config)

        return on_own_device

    def run_config(self, session: tf.compat.v1.ConfigProto) -> dict[str, Any]:
        """Make the arguments of the RunConfig; see Distribution."""
        # Workers start when the chief says so, and not one after the other.
        return {**super().run_config(session), 'experimental_max_worker_delay_secs': 0}

    def completed(self, config: tf.compat.v1.ConfigProto) -> tf.compat.v1.ConfigProto:
        """Complete the session's settings with what this kind takes."""
        config = with_visible_gpus(config)
        if self.kind == PARAMETER_SERVER:
            own = self.cluster.own
            # A lost worker must not hold this one up.
            config.device_filters.extend(['/job:ps', f'/job:{own.job}/task:{own.index}'])
            # A function of a TF-Hub module may then take variables of other tasks.
            config.experimental.share_cluster_devices_in_session = True
            return config
        threads = len(self.devices) + 1
        if count_cores() < threads:
            # A device waits for the others in a thread, and one more must bring its part along.
            given = config.inter_op_parallelism_threads
            config.inter_op_parallelism_threads = max(given, threads)
        return config

    def describe(self, batch_size: int) -> str:
        """Describe what trains, as a line for the start of a run.

        Args:
          batch_size: images in a step, over all devices.
        """
        share = batch_size // self.replicas
        tasks = f'{len(self.cluster.trainers)} tasks'
        if self.kind == MULTI_WORKER:
            devices = f' with {", ".join(self.devices)} each' if self.devices[1:] else ''
            return f'training in {tasks}{devices}: batches of {batch_size}, {share} on each device'
        if share == batch_size:
            return f'training in {tasks}, each of which makes steps: batches of {batch_size}'
        return f'training in {tasks}: steps of {self.replicas} gradients, each of {share} images'

    def train(self, run: Any, alone: Callable[[Any], None]) -> None:
        """Do this task's part of a run; returns when training is done.

        Args:
          run: the Experiment.
          alone: what one machine would do.
        """
        if self.collects and not run.hparams.replicas_to_aggregate:
            values = {'replicas_to_aggregate': self.replicas}
            run = replace(run, hparams=run.hparams.with_values('the cluster', **values))
        load(f'extras.cluster.{_PARTS[self.cluster.own.job]}')(run)

    def scope(self) -> contextlib.AbstractContextManager[object]:
        """Enter what the Estimator must train in."""
        return _graph() if self.kind == MULTI_WORKER else contextlib.nullcontext()


def make_distribution(hparams: HParams, extras: Extras) -> Distribution:
    """Choose what trains: this process in its cluster, or one machine where there is none.

    To be called before TensorFlow uses any device.

    Args:
      hparams: of the run; modes that do not train work alone wherever they run.
      extras: those of this clone.

    Raises:
      ConfigError: there are not so many GPUs.
    """
    cluster = read_cluster(os.environ) if trains(hparams) else None
    if cluster is None:
        return distribution.make_distribution(hparams, extras)
    # TensorFlow reads it in many places, and must see the cluster as it is seen here.
    os.environ[TF_CONFIG] = cluster.as_tf_config()
    return distribution_in(cluster, hparams.take(ClusterOptions), devices_asked(hparams), extras)


def distribution_in(
    cluster: Cluster, options: ClusterOptions, devices: DistributionOptions, extras: Extras
) -> ClusterDistribution:
    """Choose the devices of a task, and the strategy over all; see `make_distribution`.

    Args:
      cluster: of this process.
      options: that `check_distribution` found right.
      devices: what was asked for of each machine.
      extras: those of this clone.
    """
    kind = kind_of(options, cluster)
    if cluster.own not in cluster.trainers:
        # The flags are meant for the tasks that train.
        devices = replace(devices, num_gpus=0 if cluster.own.job == PS else None)
    shown = show_devices(devices)
    replicas = replicas_of(options, devices, cluster, count_gpus(shown))
    strategy = None
    # The evaluator, which is no part of the cluster, works alone.
    if kind == MULTI_WORKER and cluster.own in cluster.tasks:
        way = tf.distribute.experimental.CommunicationImplementation(devices.all_reduce_alg.upper())
        with _graph():
            strategy = tf.compat.v1.distribute.experimental.MultiWorkerMirroredStrategy(way)
        assert strategy.num_replicas_in_sync == replicas
    collects = options.sync_replicas
    return ClusterDistribution(strategy, replicas, tuple(shown), kind, cluster, collects, extras)


def distribution_of(experiment: Experiment) -> ClusterDistribution:
    """Return the run's distribution, in a cluster."""
    assert isinstance(experiment.distribution, ClusterDistribution)
    return experiment.distribution


def cluster_of(experiment: Experiment) -> Cluster:
    """Return the run's cluster."""
    return distribution_of(experiment).cluster


def _graph() -> contextlib.AbstractContextManager[object]:
    # With eager execution TensorFlow would start a service of its own between the workers, which
    # takes the process's signals and waits for minutes for a worker that is gone.
    return tf.Graph().as_default()
