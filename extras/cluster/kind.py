"""Name the kind of a run's distribution, and count its replicas; imports no TensorFlow."""

from __future__ import annotations

from extras.cluster.options import ClusterOptions
from extras.cluster.tasks import Cluster
from library.modes.device_checks import MIRRORED, local_replicas
from library.runtime.options import DistributionOptions

MULTI_WORKER, PARAMETER_SERVER = 'multi_worker', 'parameter_server'


def kind_of(options: ClusterOptions, cluster: Cluster | None) -> str:
    """Return one of the names above, or MIRRORED for one machine.

    Args:
      options: what was asked for.
      cluster: of this process, if there is one.
    """
    if options.distribution != 'auto':
        return options.distribution
    if cluster is None:
        return MIRRORED
    return PARAMETER_SERVER if cluster.parameter_servers else MULTI_WORKER


def replicas_of(
    options: ClusterOptions, devices: DistributionOptions, cluster: Cluster | None, gpus: int
) -> int:
    """Count the parts that a training batch is divided into.

    Args:
      options: what was asked for.
      devices: what was asked for of each machine.
      cluster: of this process, if there is one.
      gpus: that each machine trains on; 0 and 1 both mean one device.
    """
    local = local_replicas(devices, gpus)
    if cluster is None:
        return local
    if kind_of(options, cluster) == MULTI_WORKER:
        return local * len(cluster.trainers)
    if not options.sync_replicas:
        return 1
    return options.replicas_to_aggregate or len(cluster.trainers)
