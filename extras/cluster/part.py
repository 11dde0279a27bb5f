"""A run in a cluster to what this process does for it."""

from __future__ import annotations

from collections.abc import Callable

from extras.cluster.chief import lead
from extras.cluster.evaluator import evaluate_while_others_train
from extras.cluster.parameter_server import serve
from extras.cluster.worker import work
from extras.cluster.tasks import CHIEF, EVALUATOR, PS, WORKER
from library.runtime.experiment import Experiment

PARTS: dict[str, Callable[[Experiment], None]] = {
    CHIEF: lead,
    WORKER: work,
    PS: serve,
    EVALUATOR: evaluate_while_others_train,
}


def take_part(experiment: Experiment) -> None:
    """Does the part of this process's own task; returns when training is done."""
    cluster = experiment.distribution.cluster
    assert cluster is not None
    PARTS[cluster.own.job](experiment)
