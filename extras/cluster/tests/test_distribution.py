"""What a task of a cluster trains with."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
import tensorflow as tf

from extras.cluster import chief, evaluator, parameter_server, worker
from extras.cluster.distribution import ClusterDistribution, distribution_in
from extras.cluster.kind import MULTI_WORKER, PARAMETER_SERVER
from extras.cluster.options import ClusterOptions
from extras.cluster.sync_replicas import SyncReplicasHook
from extras.cluster.tasks import Cluster, Task
from library.extras import Extras
from library.models.placement import own_device
from library.runtime.options import DistributionOptions
from library.training.train_op import make_train_op

pytestmark = pytest.mark.graph


@pytest.fixture
def machine(monkeypatch):
    """Makes a machine with so many GPUs."""

    def with_gpus(count):
        devices = {'GPU': [f'GPU:{number}' for number in range(count)], 'CPU': ['CPU:0']}
        monkeypatch.setattr(tf.config, 'list_physical_devices', devices.__getitem__)
        monkeypatch.setattr(tf.config, 'get_visible_devices', devices.__getitem__)
        monkeypatch.setattr(tf.config, 'set_visible_devices', lambda shown, kind: None)

    return with_gpus


def made_of(cluster, **devices):
    options = DistributionOptions(**devices)
    return distribution_in(cluster, ClusterOptions(), options, Extras())


CHIEF, WORKER = Task('chief', 0, 'a:1'), Task('worker', 0, 'b:1')
SERVER, EVALUATOR = Task('ps', 0, 'c:1'), Task('evaluator', 0, '')
TOGETHER = (CHIEF, WORKER)
SERVED = (CHIEF, WORKER, SERVER)


def as_task(own, tasks, devices=('/cpu:0',), replicas=None):
    """The distribution of one task, without the strategy that it would take."""
    served = SERVER in tasks
    kind = PARAMETER_SERVER if served else MULTI_WORKER
    replicas = replicas or (1 if served else 2)
    return ClusterDistribution(None, replicas, devices, kind, Cluster(tasks, own))


@pytest.mark.parametrize(
    ('distribution', 'line'),
    [
        (as_task(CHIEF, TOGETHER), '2 tasks: batches of 12, 6 on each device'),
        (
            as_task(CHIEF, TOGETHER, ('/gpu:0', '/gpu:1'), replicas=4),
            '2 tasks with /gpu:0, /gpu:1 each: batches of 12, 3 on each device',
        ),
        (as_task(CHIEF, SERVED), '2 tasks, each of which makes steps: batches of 12'),
        (as_task(CHIEF, SERVED, replicas=3), '2 tasks: steps of 3 gradients, each of 4 images'),
    ],
)
def test_what_trains_in_a_cluster_is_described_with_its_share_of_a_batch(distribution, line):
    assert distribution.describe(12) == f'training in {line}'


@pytest.mark.parametrize(('own', 'number'), [(CHIEF, 0), (WORKER, 1)])
def test_with_parameter_servers_each_trainer_reads_a_share_of_its_own(own, number):
    share = as_task(own, SERVED, replicas=3).input_context(None)
    assert (share.num_input_pipelines, share.input_pipeline_id) == (2, number)
    assert share.num_replicas_in_sync == 3


def test_elsewhere_the_strategy_says_what_each_reads():
    distribution = as_task(WORKER, TOGETHER)
    given = tf.distribute.InputContext(num_input_pipelines=2)
    assert distribution.input_context(given) is given
    assert distribution.input_context(None) is None


@pytest.mark.parametrize(
    ('own', 'tasks', 'filters'),
    [
        (CHIEF, SERVED, ['/job:ps', '/job:chief/task:0']),
        (WORKER, SERVED, ['/job:ps', '/job:worker/task:0']),
        (WORKER, TOGETHER, []),
    ],
)
def test_with_parameter_servers_a_session_looks_at_them_and_at_itself_alone(
    machine, own, tasks, filters
):
    machine(0)
    config = as_task(own, tasks).completed(tf.compat.v1.ConfigProto())
    assert list(config.device_filters) == filters
    assert config.experimental.share_cluster_devices_in_session == bool(filters)
    assert dict(config.device_count) == {}


@pytest.mark.parametrize(
    ('tasks', 'devices', 'cores', 'given', 'threads'),
    [
        (TOGETHER, ['/cpu:0'], 1, 0, 2),
        (TOGETHER, ['/cpu:0'], 2, 0, 0),  # TensorFlow takes one for each
        (TOGETHER, ['/gpu:0', '/gpu:1', '/gpu:2'], 2, 0, 4),
        (TOGETHER, ['/gpu:0', '/gpu:1', '/gpu:2'], 2, 2, 4),  # fewer would wait for ever
        (TOGETHER, ['/gpu:0', '/gpu:1', '/gpu:2'], 1, 5, 5),
        (SERVED, ['/cpu:0'], 1, 0, 0),
    ],
)
def test_tasks_that_wait_for_each_other_have_threads_enough(
    machine, monkeypatch, tasks, devices, cores, given, threads
):
    machine(0)
    monkeypatch.setattr('extras.cluster.distribution.count_cores', lambda: cores)
    config = tf.compat.v1.ConfigProto(inter_op_parallelism_threads=given)
    found = as_task(CHIEF, tasks, tuple(devices)).completed(config)
    assert found.inter_op_parallelism_threads == threads


@pytest.mark.parametrize(
    ('own', 'tasks', 'device'),
    [(EVALUATOR, TOGETHER, '/gpu:0'), (EVALUATOR, SERVED, '/gpu:0'), (SERVER, SERVED, '/cpu:0')],
)
def test_who_does_not_train_has_no_strategy_and_a_device_at_most(machine, own, tasks, device):
    """The flags are those of the tasks that train."""
    machine(2)
    distribution = made_of(Cluster(tasks, own), num_gpus=1 if SERVER in tasks else 2)
    assert (distribution.strategy, distribution.devices) == (None, (device,))
    assert not distribution.is_chief


def test_flags_for_more_gpus_than_an_evaluator_has_are_none_of_its_business(machine):
    machine(0)
    assert made_of(Cluster(TOGETHER, EVALUATOR), num_gpus=8).devices == ('/cpu:0',)


def test_only_beside_parameter_servers_a_task_may_start_again_while_others_train():
    found = [as_task(WORKER, SERVED), as_task(WORKER, TOGETHER)]
    assert [each.rejoins for each in found] == [True, False]


def test_the_chief_alone_writes_checkpoints():
    found = [as_task(CHIEF, SERVED), as_task(WORKER, SERVED), as_task(CHIEF, TOGETHER)]
    assert [each.is_chief for each in found] == [True, False, True]


def test_only_who_sums_up_between_machines_trains_in_a_graph_from_the_start():
    for distribution, eager in ((as_task(CHIEF, TOGETHER), False), (as_task(CHIEF, SERVED), True)):
        with distribution.scope():
            assert tf.executing_eagerly() == eager


def built(distribution, mode, model_fn=None):
    """What the Estimator would get of a model_fn, by the distribution."""
    wrapped = distribution.wrapped(model_fn or spec_on_own_device)
    with tf.Graph().as_default():
        return wrapped(features=None, labels=None, mode=mode, params=None, config=CONFIG)


CONFIG = SimpleNamespace(num_worker_replicas=2, is_chief=True)
MODES = tf.estimator.ModeKeys


def spec_on_own_device(features, labels, mode, params, config):
    with own_device():
        return tf.constant(1).device


@pytest.mark.parametrize(
    ('own', 'tasks', 'mode', 'device'),
    [
        (CHIEF, SERVED, MODES.TRAIN, '/job:chief/task:0'),
        (WORKER, SERVED, MODES.TRAIN, '/job:worker/task:0'),
        (WORKER, SERVED, MODES.EVAL, ''),
        (EVALUATOR, SERVED, MODES.TRAIN, ''),
        (WORKER, TOGETHER, MODES.TRAIN, ''),
    ],
)
def test_what_no_task_shares_stays_on_a_worker_beside_parameter_servers(own, tasks, mode, device):
    assert built(as_task(own, tasks), mode) == device


def spec_of_one_weight(features, labels, mode, params, config):
    weight = tf.compat.v1.get_variable('weight', initializer=1.0)
    loss = weight * 2.0
    if mode != MODES.TRAIN:
        return tf.estimator.EstimatorSpec(mode, loss=loss)
    descent = tf.compat.v1.train.GradientDescentOptimizer(1.0)
    return tf.estimator.EstimatorSpec(
        mode, loss=loss, train_op=make_train_op(loss, descent, [weight])
    )


def test_where_gradients_are_collected_the_training_graph_alone_has_the_hook_for_that():
    collecting = dataclasses.replace(as_task(CHIEF, SERVED, replicas=2), collects=True)
    kinds = [
        type(each) for each in built(collecting, MODES.TRAIN, spec_of_one_weight).training_hooks
    ]
    assert kinds == [SyncReplicasHook]
    assert not built(collecting, MODES.EVAL, spec_of_one_weight).training_hooks
    assert not built(as_task(CHIEF, SERVED), MODES.TRAIN, spec_of_one_weight).training_hooks


@dataclasses.dataclass(frozen=True)
class Values:
    """As much of HParams as is asked for."""

    replicas_to_aggregate: int | None = None

    def with_values(self, origin, **values):
        assert origin == 'the cluster'
        return Values(**values)


@dataclasses.dataclass(frozen=True)
class Experiment:
    hparams: Values


@pytest.mark.parametrize(('collects', 'gradients'), [(True, 2), (False, None)])
def test_the_part_of_a_task_learns_how_many_gradients_make_a_step(monkeypatch, collects, gradients):
    seen = []
    monkeypatch.setattr(chief, 'lead', seen.append)
    task = as_task(CHIEF, SERVED, replicas=2)
    dataclasses.replace(task, collects=collects).train(Experiment(Values()), pytest.fail)
    assert seen == [Experiment(Values(gradients))]


@pytest.mark.parametrize(
    ('own', 'room', 'name'),
    [
        (CHIEF, chief, 'lead'),
        (WORKER, worker, 'work'),
        (SERVER, parameter_server, 'serve'),
        (EVALUATOR, evaluator, 'evaluate_while_others_train'),
    ],
)
def test_each_job_has_its_part_of_a_run(monkeypatch, own, room, name):
    seen = []
    monkeypatch.setattr(room, name, seen.append)
    as_task(own, SERVED).train('a run', pytest.fail)
    assert seen == ['a run']
