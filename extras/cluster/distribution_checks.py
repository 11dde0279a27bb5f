"""Check that options and TF_CONFIG go together, before TensorFlow starts."""

from __future__ import annotations

import os

from extras.cluster.kind import MULTI_WORKER, PARAMETER_SERVER, kind_of, replicas_of
from extras.cluster.options import ClusterOptions
from extras.cluster.tasks import Cluster, read_cluster
from library.config.hparams import HParams
from library.errors import ConfigError
from library.modes.device_checks import (
    MIRRORED,
    REDUCTIONS,
    Place,
    check_counted_batch,
    check_one_kind_of_devices,
    check_reduction,
)
from library.runtime.options import DistributionOptions

# How the gradients of each kind can be summed up.
_REDUCTIONS = {
    MIRRORED: REDUCTIONS,
    MULTI_WORKER: ('auto', 'nccl', 'ring'),
    PARAMETER_SERVER: ('auto',),
}


def check_distribution(hparams: HParams) -> None:
    """Raise ConfigError where devices or cluster cannot train as the options of a run ask."""
    options, devices = hparams.take(ClusterOptions), hparams.take(DistributionOptions)
    cluster = read_cluster(os.environ)
    check_together(options, devices, cluster, hparams.place)
    if cluster is not None:
        _check_other_options(hparams, kind_of(options, cluster))
    check_counted_batch(hparams, replicas_of(options, devices, cluster, devices.num_gpus or 1))


def check_together(
    options: ClusterOptions, devices: DistributionOptions, cluster: Cluster | None, place: Place
) -> None:
    """Raise ConfigError where the options do not go together, or with the cluster.

    Args:
      options: what was asked for.
      devices: what was asked for of each machine.
      cluster: of this process, if there is one.
      place: gives where an option of this name was set, for the messages.
    """
    kind = kind_of(options, cluster)
    _check_kind(kind, cluster, f'{place("distribution")} {kind}')
    check_one_kind_of_devices(devices, place)
    _check_devices(devices, kind, place)
    check_reduction(devices, kind, _REDUCTIONS[kind], place)
    if options.sync_replicas and kind != PARAMETER_SERVER:
        raise ConfigError(
            f'{place("sync_replicas")}: is for parameter servers; {kind} always sums up the '
            'gradients of all replicas'
        )


def _check_kind(kind: str, cluster: Cluster | None, asked: str) -> None:
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


def _check_devices(devices: DistributionOptions, kind: str, place: Place) -> None:
    if devices.cpu_replicas and kind != MIRRORED:
        raise ConfigError(
            f'{place("cpu_replicas")}: is for one machine; in a cluster each task is a replica'
        )
    if kind == PARAMETER_SERVER and devices.num_gpus not in (None, 0, 1):
        raise ConfigError(
            f'{place("num_gpus")} {devices.num_gpus}: with parameter servers each task trains on '
            'one device: start one task for each GPU'
        )


def _check_other_options(hparams: HParams, kind: str) -> None:
    """Raise ConfigError for options of other groups that a cluster cannot take."""
    place = hparams.place
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
