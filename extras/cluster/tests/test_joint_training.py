"""Whose loss ends a task, and whom it needs to start."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace

import pytest

from extras.cluster import joint_training
from extras.cluster.joint_training import watched
from extras.cluster.tasks import Cluster, Task

pytestmark = pytest.mark.graph

NAMES = [('chief', 0), ('worker', 0), ('worker', 1), ('ps', 0)]
TASKS = tuple(Task(*name, f'machine{number}:2222') for number, name in enumerate(NAMES))


@pytest.fixture
def rules(monkeypatch, tmp_path):
    """What a worker's watchdog is told, where tasks may join again and where they may not."""

    def call(rejoins):
        told = {}

        class Watchdog(contextlib.nullcontext):
            def __init__(self, *args, **rules):
                super().__init__()
                told.update(rules)

        cluster, distribution = Cluster(TASKS, TASKS[1]), SimpleNamespace(rejoins=rejoins)
        monkeypatch.setattr(joint_training, 'Watchdog', Watchdog)
        monkeypatch.setattr(joint_training, 'cluster_of', lambda experiment: cluster)
        monkeypatch.setattr(joint_training, 'distribution_of', lambda experiment: distribution)
        experiment = SimpleNamespace(
            hparams=SimpleNamespace(take=lambda options: options()),
            estimator=SimpleNamespace(model_dir=str(tmp_path)),
        )
        with watched(experiment, SimpleNamespace(is_asked=False)):
            return told

    return call


def chosen(rule):
    return [task.name for task in TASKS if rule(task)]


def test_where_nobody_may_join_again_each_loss_ends_a_task(rules):
    assert chosen(rules(rejoins=False)['fatal']) == ['chief', 'worker 0', 'worker 1', 'ps 0']
    assert chosen(rules(rejoins=False)['needed']) == ['chief']


def test_beside_parameter_servers_a_worker_may_be_lost(rules):
    assert chosen(rules(rejoins=True)['fatal']) == ['chief', 'ps 0']
    assert chosen(rules(rejoins=True)['needed']) == ['ps 0']
