"""Options and cluster to the kind of a run's distribution, and what each kind asks for.

Imports no TensorFlow: what is wrong is told before it starts.
"""

from __future__ import annotations

from collections.abc import Callable

from library.config.hparams import HParams
from library.errors import ConfigError
from extras.cluster.tasks import Cluster
from library.runtime.options import DistributionOptions

MIRRORED, MULTI_WORKER, PARAMETER_SERVER = 'mirrored', 'multi_worker', 'parameter_server'

# How each kind can sum gradients up, and what of that is for GPUs alone.
_REDUCTIONS = {
    MIRRORED: ('auto', 'nccl', 'hierarchical_copy', 'reduction_to_one_device'),
    MULTI_WORKER: ('auto', 'nccl', 'ring'),
    PARAMETER_SERVER: ('auto',),
}
_OF_GPUS = ('nccl', 'hierarchical_copy')


def kind_of(options: DistributionOptions, cluster: Cluster | None) -> str:
    """One of the names above; `mirrored` includes a single device.

    Args:
      options: what was asked for.
      cluster: of this process, if there is one.
    """
    if options.distribution != 'auto':
        return options.distribution
    if cluster is None:
        return MIRRORED
    return PARAMETER_SERVER if cluster.parameter_servers else MULTI_WORKER


def replicas_of(options: DistributionOptions, cluster: Cluster | None, gpus: int) -> int:
    """How many parts a training batch is divided into.

    Args:
      options: what was asked for.
      cluster: of this process, if there is one.
      gpus: that each machine trains on; 0 and 1 both mean one device.
    """
    kind = kind_of(options, cluster)
    if kind == PARAMETER_SERVER:
        assert cluster is not None
        if not options.sync_replicas:
            return 1
        return options.replicas_to_aggregate or len(cluster.trainers)
    local = options.cpu_replicas or max(gpus, 1)
    return local * len(cluster.trainers) if kind == MULTI_WORKER and cluster else local


def check_distribution(
    options: DistributionOptions, cluster: Cluster | None, place: Callable[[str], str]
) -> None:
    """Raises ConfigError where the options do not go together, or with the cluster.

    Args:
      options: what was asked for.
      cluster: of this process, if there is one.
      place: gives where an option of this name was set, for the messages.
    """
    kind = kind_of(options, cluster)
    asked = f'{place("distribution")} {kind}'
    if cluster is None and kind != MIRRORED:
        raise ConfigError(f'{asked}: takes a cluster of several tasks, and TF_CONFIG names none')
    if cluster is not None and kind == MIRRORED:
        raise ConfigError(
            f'{asked}: trains on one machine, but TF_CONFIG names a cluster of '
            f'{len(cluster.tasks)} tasks: unset one of them'
        )
    servers = bool(cluster and cluster.parameter_servers)
    if servers != (kind == PARAMETER_SERVER):
        names = 'parameter servers' if servers else 'no parameter servers (job ps)'
        raise ConfigError(f'{asked}: the cluster in TF_CONFIG has {names}')
    _check_devices(options, kind, place)
    _check_reduction(options, kind, place)
    if options.sync_replicas and kind != PARAMETER_SERVER:
        raise ConfigError(
            f'{place("sync_replicas")}: is for parameter servers; {kind} always sums up the '
            'gradients of all replicas'
        )


def _check_devices(options: DistributionOptions, kind: str, place: Callable[[str], str]) -> None:
    gpus = options.num_gpus
    if options.cpu_replicas and gpus is not None:
        places = f'{place("cpu_replicas")} and {place("num_gpus")}'
        raise ConfigError(f'{places}: give one of them')
    if options.cpu_replicas and kind != MIRRORED:
        raise ConfigError(
            f'{place("cpu_replicas")}: is for one machine; in a cluster each task is a replica'
        )
    if kind == PARAMETER_SERVER and gpus not in (None, 0, 1):
        raise ConfigError(
            f'{place("num_gpus")} {gpus}: with parameter servers each task trains on one device: '
            'start one task for each GPU'
        )


def _check_reduction(options: DistributionOptions, kind: str, place: Callable[[str], str]) -> None:
    legal = _REDUCTIONS[kind]
    without_gpus = bool(options.cpu_replicas) or options.num_gpus == 0
    if without_gpus:
        legal = tuple(name for name in legal if name not in _OF_GPUS)
    name = options.all_reduce_alg
    if name not in legal:
        why = ' without GPUs' if without_gpus and name in _REDUCTIONS[kind] else ''
        raise ConfigError(
            f'{place("all_reduce_alg")} {name}: not with {kind}{why}; there is {", ".join(legal)}'
        )


def check_in_cluster(hparams: HParams, cluster: Cluster | None) -> None:
    """Raises ConfigError for options of other groups that a cluster cannot take.

    Args:
      hparams: those of a run that `check_distribution` found right.
      cluster: of this process, if there is one.
    """
    if cluster is None:
        return
    kind, place = kind_of(hparams.take(DistributionOptions), cluster), hparams.place
    if hparams.time_stamped:
        raise ConfigError(
            f'{place("time_stamped")}: each task of a cluster would train in a folder of its own; '
            'give all the same --model_dir instead'
        )
    if hparams.clean:
        raise ConfigError(
            f'{place("clean")}: a cluster that is started again after a loss would empty the run '
            'once more; empty it before, or choose another --model_dir'
        )
    if kind == PARAMETER_SERVER and hparams.dtype == 'float16':
        raise ConfigError(
            f'{place("dtype")} float16: with parameter servers all workers would change one '
            'loss scale'
        )
    if hparams.sync_replicas and hparams.moving_average_decay:
        raise ConfigError(
            f'{place("moving_average_decay")}: not with --sync_replicas, where each worker would '
            'move the averages in each step'
        )
    # A replica waits for the others in a thread, and one more must bring its gradients along.
    threads, least = hparams.inter_op_threads, max(hparams.num_gpus or 1, 1) + 1
    if kind == MULTI_WORKER and threads is not None and threads < least:
        raise ConfigError(
            f'{place("inter_op_threads")} {threads}: the tasks would wait for each other for ever; '
            f'{kind} takes at least {least}'
        )


def check_batch(batch_size: int, replicas: int, place: str) -> None:
    """Raises ConfigError, with the nearest sizes, unless the batch can be divided evenly.

    Args:
      batch_size: of all replicas together, in images.
      replicas: as `replicas_of` gives them.
      place: where the size was set.
    """
    below = batch_size // replicas * replicas
    if below == batch_size:
        return
    above = below + replicas
    nearest = f'that can are {below} and {above}' if below else f'that can is {above}'
    raise ConfigError(
        f'{place} {batch_size} (of {replicas} replicas): cannot be divided evenly; '
        f'the nearest {nearest}'
    )
