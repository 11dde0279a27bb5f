"""Whose loss ends a task, and whom it needs to start."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from extras.cluster import joint_training
from extras.cluster.joint_training import watch_rules
from extras.cluster.tasks import Cluster, Task

pytestmark = pytest.mark.graph

NAMES = [('chief', 0), ('worker', 0), ('worker', 1), ('ps', 0)]
TASKS = tuple(Task(*name, f'machine{number}:2222') for number, name in enumerate(NAMES))


@pytest.fixture
def rules(monkeypatch, tmp_path):
    """By which rules a worker watches, where tasks may join again and where they may not."""

    def call(rejoins):
        cluster, distribution = Cluster(TASKS, TASKS[1]), SimpleNamespace(rejoins=rejoins)
        monkeypatch.setattr(joint_training, 'cluster_of', lambda experiment: cluster)
        monkeypatch.setattr(joint_training, 'distribution_of', lambda experiment: distribution)
        return watch_rules(
            SimpleNamespace(
                hparams=SimpleNamespace(take=lambda options: options()),
                estimator=SimpleNamespace(model_dir=str(tmp_path)),
            )
        )

    return call


def names(tasks):
    return sorted(task.name for task in tasks)


def test_where_nobody_may_join_again_each_loss_ends_a_task(rules):
    assert names(rules(rejoins=False).fatal) == ['chief', 'ps 0', 'worker 0', 'worker 1']
    assert names(rules(rejoins=False).needed) == ['chief']


def test_beside_parameter_servers_a_worker_may_be_lost(rules):
    assert names(rules(rejoins=True).fatal) == ['chief', 'ps 0']
    assert names(rules(rejoins=True).needed) == ['ps 0']
