"""Options to the devices that train: one, or several with a strategy."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest
import tensorflow as tf
from library.runtime.distribution_kind import MIRRORED, MULTI_WORKER, PARAMETER_SERVER

from extras.cluster.tasks import Cluster, Task
from library.errors import ConfigError
from library.runtime.distribution import Distribution, make_distribution, own_device
from library.runtime.options import DistributionOptions


@pytest.fixture
def machine(monkeypatch):
    """Makes a machine with so many GPUs; `made` tells what became of them."""
    made = SimpleNamespace(strategy=None, visible=None, logical=None)

    def with_gpus(count):
        devices = {'GPU': [f'GPU:{number}' for number in range(count)], 'CPU': ['CPU:0']}
        made.visible = devices['GPU']

        def show(shown, kind):
            assert kind == 'GPU'
            made.visible = shown

        def split(device, parts):
            made.logical = (device, len(parts))

        monkeypatch.setattr(tf.config, 'list_physical_devices', devices.__getitem__)
        monkeypatch.setattr(tf.config, 'get_visible_devices', lambda kind: made.visible)
        monkeypatch.setattr(tf.config, 'set_visible_devices', show)
        monkeypatch.setattr(tf.config, 'set_logical_device_configuration', split)
        return made

    def strategy(names, reduction):
        made.strategy = (names, type(reduction))
        return made.strategy

    monkeypatch.setattr(tf.distribute, 'MirroredStrategy', strategy)
    return with_gpus


def made_of(cluster=None, **options):
    return make_distribution(DistributionOptions(**options), cluster)


def test_without_a_wish_one_gpu_trains_if_there_is_one(machine):
    for gpus, device in ((0, '/cpu:0'), (1, '/gpu:0'), (4, '/gpu:0')):
        made = machine(gpus)
        distribution = made_of()
        assert distribution.devices == (device,)
        assert (distribution.strategy, distribution.replicas) == (None, 1)
        assert len(made.visible) == min(gpus, 1)


def test_several_gpus_share_each_batch_and_others_are_hidden(machine):
    made = machine(4)
    distribution = made_of(num_gpus=3)
    assert distribution.strategy == (['/gpu:0', '/gpu:1', '/gpu:2'], tf.distribute.NcclAllReduce)
    assert distribution.replicas == 3
    assert made.visible == ['GPU:0', 'GPU:1', 'GPU:2']


@pytest.mark.parametrize(('there', 'replicas'), [(4, 4), (1, 1), (0, 1)])
def test_all_gpus_can_be_asked_for(machine, there, replicas):
    machine(there)
    distribution = made_of(num_gpus=-1)
    assert distribution.replicas == len(distribution.devices) == replicas
    assert (distribution.strategy is None) == (replicas == 1)


def test_no_gpu_can_be_asked_for(machine):
    made = machine(2)
    distribution = made_of(num_gpus=0)
    assert distribution.devices == ('/cpu:0',)
    assert distribution.strategy is None
    assert made.visible == []


@pytest.mark.parametrize(('there', 'found'), [(0, 'none'), (2, '2')])
def test_more_gpus_than_there_are_is_one_line(machine, there, found):
    machine(there)
    with pytest.raises(ConfigError, match=f'^--num_gpus 3: TensorFlow finds {found} here'):
        made_of(num_gpus=3)


def test_parts_of_the_cpu_can_stand_for_gpus(machine):
    made = machine(1)
    distribution = made_of(cpu_replicas=2)
    assert distribution.devices == ('/cpu:0', '/cpu:1')
    assert made.logical == ('CPU:0', 2)
    assert made.visible == []
    # What TensorFlow would choose can wait for ever there.
    assert made.strategy[1] is tf.distribute.ReductionToOneDevice


def test_how_gradients_are_summed_up_can_be_chosen(machine):
    made = machine(2)
    made_of(num_gpus=2, all_reduce_alg='hierarchical_copy')
    assert made.strategy[1] is tf.distribute.HierarchicalCopyAllReduce


@pytest.mark.parametrize(
    ('options', 'cpus', 'gpus'),
    [
        ({}, 1, 1),
        ({'num_gpus': 4}, 1, None),
        ({'num_gpus': 2}, 1, 2),
        ({'num_gpus': 0}, 1, 0),
        ({'cpu_replicas': 2}, 2, 0),
    ],
)
def test_a_session_has_the_devices_and_no_others(machine, options, cpus, gpus):
    machine(4)
    counts = made_of(**options).completed(tf.compat.v1.ConfigProto()).device_count
    assert dict(counts) == {'CPU': cpus} | ({} if gpus is None else {'GPU': gpus})


def test_several_devices_are_described_and_one_is_no_news(machine):
    machine(2)
    line = 'training on 2 devices (/gpu:0, /gpu:1): batches of 12, 6 on each'
    assert made_of(num_gpus=2).describe(12) == line
    assert made_of(num_gpus=1).describe(12) is None


# In a cluster.

CHIEF, WORKER = Task('chief', 0, 'a:1'), Task('worker', 0, 'b:1')
SERVER, EVALUATOR = Task('ps', 0, 'c:1'), Task('evaluator', 0, '')
TOGETHER = (CHIEF, WORKER)
SERVED = (CHIEF, WORKER, SERVER)


def as_task(own, tasks, devices=('/cpu:0',), replicas=None):
    """The distribution of one task, without the strategy that it would take."""
    served = SERVER in tasks
    kind = PARAMETER_SERVER if served else MULTI_WORKER
    replicas = replicas or (1 if served else 2)
    return Distribution(kind, None, replicas, Cluster(tasks, own), devices)


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


@pytest.mark.parametrize(
    'distribution',
    [as_task(WORKER, TOGETHER), Distribution(MIRRORED, None, 1, None, ('/cpu:0',))],
)
def test_elsewhere_the_strategy_says_what_each_reads(distribution):
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
    ('tasks', 'devices', 'cores', 'asked', 'threads'),
    [
        (TOGETHER, ['/cpu:0'], 1, 0, 2),
        (TOGETHER, ['/cpu:0'], 2, 0, 0),  # TensorFlow takes one for each
        (TOGETHER, ['/gpu:0', '/gpu:1', '/gpu:2'], 2, 0, 4),
        (TOGETHER, ['/gpu:0', '/gpu:1', '/gpu:2'], None, 5, 5),
        (SERVED, ['/cpu:0'], 1, 0, 0),
    ],
)
def test_tasks_that_wait_for_each_other_have_threads_enough(
    machine, monkeypatch, tasks, devices, cores, asked, threads
):
    machine(0)
    monkeypatch.setattr(os, 'cpu_count', lambda: cores)
    config = tf.compat.v1.ConfigProto(inter_op_parallelism_threads=asked)
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
    assert not distribution.trains
    assert not distribution.is_chief


def test_flags_for_more_gpus_than_an_evaluator_has_are_none_of_its_business(machine):
    machine(0)
    assert made_of(Cluster(TOGETHER, EVALUATOR), num_gpus=8).devices == ('/cpu:0',)


def test_only_beside_parameter_servers_a_task_may_start_again_while_others_train():
    found = [as_task(WORKER, SERVED), as_task(WORKER, TOGETHER)]
    assert [each.rejoins for each in found] == [True, False]
    assert all(each.trains for each in found)


def test_the_chief_of_a_cluster_and_who_trains_alone_write_checkpoints():
    alone = Distribution(MIRRORED, None, 1, None, ('/cpu:0',))
    found = [as_task(CHIEF, SERVED), as_task(WORKER, SERVED), as_task(CHIEF, TOGETHER), alone]
    assert [each.is_chief for each in found] == [True, False, True, True]


def test_only_who_sums_up_between_machines_trains_in_a_graph_from_the_start():
    for distribution, eager in ((as_task(CHIEF, TOGETHER), False), (as_task(CHIEF, SERVED), True)):
        with distribution.scope():
            assert tf.executing_eagerly() == eager


@pytest.mark.parametrize(
    ('own', 'tasks', 'device'),
    [
        (CHIEF, SERVED, '/job:chief/task:0'),
        (WORKER, SERVED, '/job:worker/task:0'),
        (EVALUATOR, SERVED, ''),
        (WORKER, TOGETHER, ''),
        (None, None, ''),
    ],
)
def test_what_no_task_shares_stays_on_a_worker_beside_parameter_servers(
    monkeypatch, own, tasks, device
):
    monkeypatch.delenv('TF_CONFIG', raising=False)
    if own:
        monkeypatch.setenv('TF_CONFIG', Cluster(tasks, own).as_tf_config())
    with tf.Graph().as_default(), own_device():
        assert tf.constant(1).device == device
