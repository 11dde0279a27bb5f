"""Give each task of a cluster its part of a run."""

from __future__ import annotations

import os

from extras.cluster.chief import lead
from extras.cluster.distribution import Part, distribution_in
from extras.cluster.evaluator import evaluate_while_others_train
from extras.cluster.options import ClusterOptions
from extras.cluster.parameter_server import serve
from extras.cluster.tasks import read_cluster
from extras.cluster.tf_config import CHIEF, EVALUATOR, PS, TF_CONFIG, WORKER
from extras.cluster.worker import work
from library.config.hparams import HParams
from library.extras import Extras
from library.runtime import distribution
from library.runtime.distribution import Distribution, devices_asked, trains

PARTS: dict[str, Part] = {
    CHIEF: lead,
    WORKER: work,
    PS: serve,
    EVALUATOR: evaluate_while_others_train,
}


def make_distribution(hparams: HParams, extras: Extras) -> Distribution:
    """Choose what trains: this process in its cluster, or one machine where there is none.

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
    options, devices = hparams.take(ClusterOptions), devices_asked(hparams)
    return distribution_in(cluster, options, devices, PARTS[cluster.own.job], extras)
