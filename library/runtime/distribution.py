"""Options and cluster to the devices that train together: the one place that makes a strategy.

The batches of all options are those of all devices together.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace

import tensorflow as tf

from library.errors import ConfigError
from extras.cluster.tasks import PS, Cluster, read_cluster
from library.runtime.distribution_kind import (
    MIRRORED,
    MULTI_WORKER,
    PARAMETER_SERVER,
    kind_of,
    replicas_of,
)
from library.runtime.options import DistributionOptions

_BETWEEN_MACHINES = {
    'auto': tf.distribute.experimental.CommunicationImplementation.AUTO,
    'nccl': tf.distribute.experimental.CommunicationImplementation.NCCL,
    'ring': tf.distribute.experimental.CommunicationImplementation.RING,
}
_IN_ONE_MACHINE = {
    'nccl': tf.distribute.NcclAllReduce,
    'hierarchical_copy': tf.distribute.HierarchicalCopyAllReduce,
    'reduction_to_one_device': tf.distribute.ReductionToOneDevice,
}


@dataclass(frozen=True)
class Distribution:
    """What trains a model.

    Attributes:
      kind: as `kind_of` names it.
      strategy: for the RunConfig; None with one device, and with parameter servers.
      replicas: how many parts a batch is divided into.
      cluster: the tasks, of which this process is one; None on one machine.
      devices: of this process, as TensorFlow names them.
    """

    kind: str
    strategy: tf.distribute.Strategy | None
    replicas: int
    cluster: Cluster | None
    devices: tuple[str, ...]

    @property
    def trains(self) -> bool:
        """False in a task that only serves or evaluates."""
        return self.cluster is None or self.cluster.own in self.cluster.trainers

    @property
    def rejoins(self) -> bool:
        """True where a task may start again while the others train."""
        return self.kind == PARAMETER_SERVER

    @property
    def is_chief(self) -> bool:
        """True if this process writes checkpoints: alone, or as the chief of a cluster."""
        return self.cluster is None or self.cluster.is_chief

    def input_context(
        self, given: tf.distribute.InputContext | None
    ) -> tf.distribute.InputContext | None:
        """Which share of the training images this process reads, and in which portions.

        Args:
          given: by the Estimator; with parameter servers it gives none.
        """
        if self.kind != PARAMETER_SERVER or self.cluster is None:
            return given
        return tf.distribute.InputContext(
            num_input_pipelines=len(self.cluster.trainers),
            input_pipeline_id=self.cluster.number,
            num_replicas_in_sync=self.replicas,
        )

    def completed(self, config: tf.compat.v1.ConfigProto) -> tf.compat.v1.ConfigProto:
        """The session's settings with what this kind takes."""
        if self.kind == MIRRORED:
            config.device_count['CPU'] = max(1, sum(d.startswith('/cpu') for d in self.devices))
        # A session with settings of its own does not look at which devices are visible.
        visible = len(tf.config.get_visible_devices('GPU'))
        if visible < len(tf.config.list_physical_devices('GPU')):
            config.device_count['GPU'] = visible
        threads = len(self.devices) + 1
        if self.kind == MULTI_WORKER and (os.cpu_count() or 1) < threads:
            # A device waits for the others in a thread, and one more must bring its part along.
            config.inter_op_parallelism_threads = config.inter_op_parallelism_threads or threads
        if self.kind == PARAMETER_SERVER and self.cluster is not None:
            own = self.cluster.own
            # Another worker that is lost must not hold this one up.
            config.device_filters.extend(['/job:ps', f'/job:{own.job}/task:{own.index}'])
            # A function of a TF-Hub module may then take variables of other tasks.
            config.experimental.share_cluster_devices_in_session = True
        return config

    def describe(self, batch_size: int) -> str | None:
        """What trains, as a line for the start of a run; None with one device.

        Args:
          batch_size: images in a step, over all devices.
        """
        share = batch_size // self.replicas
        if self.cluster is None:
            if len(self.devices) == 1:
                return None
            who = f'{len(self.devices)} devices ({", ".join(self.devices)})'
            return f'training on {who}: batches of {batch_size}, {share} on each'
        tasks = f'{len(self.cluster.trainers)} tasks'
        if self.kind == MULTI_WORKER:
            devices = f' with {", ".join(self.devices)} each' if self.devices[1:] else ''
            return f'training in {tasks}{devices}: batches of {batch_size}, {share} on each device'
        if share == batch_size:
            return f'training in {tasks}, each of which makes steps: batches of {batch_size}'
        return f'training in {tasks}: steps of {self.replicas} gradients, each of {share} images'

    def start_server(self) -> tf.distribute.Server:
        """Starts the server of a task that holds variables; TensorFlow ends it with the process."""
        assert self.cluster is not None
        own = self.cluster.own
        # A GPU would be of no use, and its memory is the workers'.
        config = tf.compat.v1.ConfigProto(device_count={'GPU': 0})
        return tf.distribute.Server(self.cluster.jobs, own.job, own.index, config=config)

    def scope(self) -> contextlib.AbstractContextManager[object]:
        """Where the Estimator must train."""
        return _scope(self.kind)


def make_distribution(options: DistributionOptions, cluster: Cluster | None) -> Distribution:
    """Chooses the devices, and the strategy over them; to be called before TensorFlow uses any.

    Args:
      options: that `check_distribution` found right.
      cluster: of this process, if there is one.

    Raises:
      ConfigError: there are not so many GPUs.
    """
    kind = kind_of(options, cluster)
    if cluster is not None and cluster.own not in cluster.trainers:
        # What the flags ask for is meant for those who train.
        options = replace(options, num_gpus=0 if cluster.own.job == PS else None)
    devices = _devices(options)
    gpus = sum(device.startswith('/gpu') for device in devices)
    replicas = replicas_of(options, cluster, gpus)
    strategy = None
    # The evaluator, which is no part of the cluster, works alone.
    if kind == MULTI_WORKER and cluster is not None and cluster.own in cluster.tasks:
        strategy = _between_machines(options)
        assert strategy.num_replicas_in_sync == replicas
    elif kind == MIRRORED and len(devices) > 1:
        strategy = tf.distribute.MirroredStrategy(devices, _in_one_machine(options, gpus))
    return Distribution(kind, strategy, replicas, cluster, tuple(devices))


def _devices(options: DistributionOptions) -> list[str]:
    """The devices of this machine that train; all other GPUs are hidden.

    Raises:
      ConfigError: there are not so many GPUs.
    """
    if options.cpu_replicas:
        tf.config.set_visible_devices([], 'GPU')
        (cpu,) = tf.config.list_physical_devices('CPU')
        logical = [tf.config.LogicalDeviceConfiguration()] * options.cpu_replicas
        tf.config.set_logical_device_configuration(cpu, logical)
        return [f'/cpu:{number}' for number in range(options.cpu_replicas)]
    gpus = tf.config.list_physical_devices('GPU')
    wanted = options.num_gpus
    if wanted is None:
        wanted = min(1, len(gpus))
    if wanted > len(gpus):
        raise ConfigError(
            f'--num_gpus {wanted}: TensorFlow finds {len(gpus) or "none"} here (-1: all, 0: none)'
        )
    wanted = len(gpus) if wanted == -1 else wanted
    # A strategy between machines, and TensorFlow's memory, would take all that it sees.
    tf.config.set_visible_devices(gpus[:wanted], 'GPU')
    return [f'/gpu:{number}' for number in range(wanted)] or ['/cpu:0']


def _between_machines(options: DistributionOptions) -> tf.distribute.Strategy:
    communication = _BETWEEN_MACHINES[options.all_reduce_alg]
    with _scope(MULTI_WORKER):
        return tf.compat.v1.distribute.experimental.MultiWorkerMirroredStrategy(communication)


def _in_one_machine(options: DistributionOptions, gpus: int) -> tf.distribute.CrossDeviceOps:
    """How the devices of this machine sum up.

    TensorFlow's own choice waits for ever on a CPU with fewer threads than devices.
    """
    auto = 'nccl' if gpus else 'reduction_to_one_device'
    name = auto if options.all_reduce_alg == 'auto' else options.all_reduce_alg
    return _IN_ONE_MACHINE[name]()


def _scope(kind: str) -> contextlib.AbstractContextManager[object]:
    # With eager execution TensorFlow would start a service of its own between the workers, which
    # takes the process's signals and waits for minutes for a worker that is gone.
    return tf.Graph().as_default() if kind == MULTI_WORKER else contextlib.nullcontext()


def own_device() -> contextlib.AbstractContextManager[object]:
    """Where variables stay that no other task shares, such as a frozen module's.

    With parameter servers a training graph would put them there, and fetch them in every step.
    """
    cluster = read_cluster(os.environ)
    if cluster is None or not cluster.parameter_servers or cluster.own not in cluster.trainers:
        return contextlib.nullcontext()
    return tf.device(f'/job:{cluster.own.job}/task:{cluster.own.index}')
