"""Which kind of distribution a run has, and what of its options does not fit together."""

import json

import pytest

from extras.cluster.distribution_checks import check_together
from extras.cluster.kind import kind_of, replicas_of
from extras.cluster.options import ClusterOptions
from extras.cluster.tasks import read_cluster
from library.errors import ConfigError
from library.runtime.options import DistributionOptions

pytestmark = pytest.mark.unit


def cluster_of(**jobs):
    cluster = {job: [f'{job}{i}:1' for i in range(count)] for job, count in jobs.items()}
    config = {'cluster': cluster, 'task': {'type': 'chief', 'index': 0}}
    return read_cluster({'TF_CONFIG': json.dumps(config)})


WORKERS = cluster_of(chief=1, worker=2)
SERVERS = cluster_of(chief=1, worker=2, ps=1)


def options_of(**options):
    """The options of the cluster, and those of each machine."""
    of_machine = {'num_gpus', 'cpu_replicas', 'all_reduce_alg'} & set(options)
    devices = {name: options.pop(name) for name in of_machine}
    return ClusterOptions(**options), DistributionOptions(**devices)


def check(cluster, **options):
    check_together(*options_of(**options), cluster, '--{}'.format)


@pytest.mark.parametrize(
    ('cluster', 'kind'),
    [(None, 'mirrored'), (WORKERS, 'multi_worker'), (SERVERS, 'parameter_server')],
)
def test_the_cluster_says_the_kind_and_the_flag_may_repeat_it(cluster, kind):
    assert kind_of(ClusterOptions(), cluster) == kind
    assert kind_of(ClusterOptions(distribution=kind), cluster) == kind
    check(cluster)
    check(cluster, distribution=kind)


@pytest.mark.parametrize(
    ('cluster', 'options', 'gpus', 'replicas'),
    [
        (None, {}, 0, 1),
        (None, {}, 1, 1),
        (None, {'num_gpus': 4}, 4, 4),
        (None, {'cpu_replicas': 2}, 0, 2),
        (WORKERS, {}, 0, 3),
        (WORKERS, {'num_gpus': 2}, 2, 6),
        (SERVERS, {}, 1, 1),
        (SERVERS, {'sync_replicas': True}, 0, 3),
        (SERVERS, {'sync_replicas': True, 'replicas_to_aggregate': 2}, 0, 2),
    ],
)
def test_how_many_parts_a_batch_has(cluster, options, gpus, replicas):
    assert replicas_of(*options_of(**options), cluster, gpus) == replicas


@pytest.mark.parametrize(
    ('cluster', 'options'),
    [
        (None, {'num_gpus': 2, 'all_reduce_alg': 'nccl'}),
        (None, {'cpu_replicas': 2, 'all_reduce_alg': 'reduction_to_one_device'}),
        (None, {'num_gpus': -1, 'all_reduce_alg': 'hierarchical_copy'}),
        (WORKERS, {'all_reduce_alg': 'ring', 'num_gpus': 0}),
        (WORKERS, {'all_reduce_alg': 'nccl', 'num_gpus': 2}),
        (SERVERS, {'sync_replicas': True, 'num_gpus': 1}),
        (SERVERS, {'num_gpus': 0}),
    ],
)
def test_what_goes_together_is_let_through(cluster, options):
    check(cluster, **options)


@pytest.mark.parametrize(
    ('cluster', 'options', 'message'),
    [
        (
            None,
            {'distribution': 'multi_worker'},
            '--distribution multi_worker: takes a cluster of several tasks, and TF_CONFIG names '
            'none',
        ),
        (
            None,
            {'distribution': 'parameter_server'},
            '--distribution parameter_server: takes a cluster of several tasks, and TF_CONFIG '
            'names none',
        ),
        (
            WORKERS,
            {'distribution': 'mirrored'},
            '--distribution mirrored: trains on one machine, but TF_CONFIG names a cluster of 3 '
            'tasks: unset one of them',
        ),
        (
            SERVERS,
            {'distribution': 'multi_worker'},
            '--distribution multi_worker: the cluster in TF_CONFIG has parameter servers',
        ),
        (
            WORKERS,
            {'distribution': 'parameter_server'},
            '--distribution parameter_server: the cluster in TF_CONFIG has no parameter servers '
            '(job ps)',
        ),
        (
            None,
            {'cpu_replicas': 2, 'num_gpus': 0},
            '--cpu_replicas and --num_gpus: give one of them',
        ),
        (
            SERVERS,
            {'cpu_replicas': 2},
            '--cpu_replicas: is for one machine; in a cluster each task is a replica',
        ),
        (
            WORKERS,
            {'cpu_replicas': 2},
            '--cpu_replicas: is for one machine; in a cluster each task is a replica',
        ),
        (
            SERVERS,
            {'num_gpus': 2},
            '--num_gpus 2: with parameter servers each task trains on one device: start one task '
            'for each GPU',
        ),
        (
            None,
            {'all_reduce_alg': 'ring'},
            '--all_reduce_alg ring: not with mirrored; there is auto, nccl, hierarchical_copy, '
            'reduction_to_one_device',
        ),
        (
            None,
            {'all_reduce_alg': 'nccl', 'cpu_replicas': 2},
            '--all_reduce_alg nccl: not with mirrored without GPUs; there is auto, '
            'reduction_to_one_device',
        ),
        (
            WORKERS,
            {'all_reduce_alg': 'hierarchical_copy'},
            '--all_reduce_alg hierarchical_copy: not with multi_worker; there is auto, nccl, ring',
        ),
        (
            WORKERS,
            {'all_reduce_alg': 'nccl', 'num_gpus': 0},
            '--all_reduce_alg nccl: not with multi_worker without GPUs; there is auto, ring',
        ),
        (
            SERVERS,
            {'all_reduce_alg': 'ring'},
            '--all_reduce_alg ring: not with parameter_server; there is auto',
        ),
        (
            WORKERS,
            {'sync_replicas': True},
            '--sync_replicas: is for parameter servers; multi_worker always sums up the gradients '
            'of all replicas',
        ),
    ],
)
def test_what_does_not_go_together_is_refused(cluster, options, message):
    with pytest.raises(ConfigError) as caught:
        check(cluster, **options)
    assert str(caught.value) == message
