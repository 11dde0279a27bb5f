"""TF_CONFIG, as several systems write it, becomes one cluster; a wrong one is told in one line."""

import json

import pytest

from extras.cluster.tasks import Task, read_cluster
from library.errors import ConfigError

pytestmark = pytest.mark.unit

THREE = {'chief': ['a:1'], 'worker': ['b:1', 'c:1']}
RIGHT = (
    '{"cluster": {"chief": ["host:port"], "worker": ["host:port"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


def read(job, index=0, cluster=THREE):
    config = {'cluster': cluster, 'task': {'type': job, 'index': index}}
    return read_cluster({'TF_CONFIG': json.dumps(config)})


def refusal(text):
    with pytest.raises(ConfigError) as caught:
        read_cluster({'TF_CONFIG': text if isinstance(text, str) else json.dumps(text)})
    message = str(caught.value)
    assert message.startswith('TF_CONFIG: ')
    assert '\n' not in message
    return message.removeprefix('TF_CONFIG: ')


@pytest.mark.parametrize(
    'environ',
    [
        {},
        {'TF_CONFIG': '{}'},
        {'TF_CONFIG': '{"environment": "cloud", "cluster": {}, "task": {}}'},
        {'TF_CONFIG': '{"cluster": {}}'},
        {'TF_CONFIG': '{"task": {"type": "worker", "index": 0}}'},
        {'TF_CONFIG': '{"task": {"type": "chief", "index": "0"}}'},
        {'TF_CONFIG': '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}'},
        {'TF_CONFIG': '{"cluster": {"master": ["a:1"]}, "task": {"type": "master", "index": 0}}'},
    ],
)
def test_one_process_is_no_cluster(environ):
    assert read_cluster(environ) is None


def test_a_task_finds_itself_and_its_peers():
    cluster = read('worker', 1, {**THREE, 'ps': ['d:1']})
    assert [str(task) for task in cluster.tasks] == [
        'chief (a:1)',
        'worker 0 (b:1)',
        'worker 1 (c:1)',
        'ps 0 (d:1)',
    ]
    assert cluster.own == Task('worker', 1, 'c:1')
    assert cluster.number == 2
    assert not cluster.is_chief
    assert cluster.own not in cluster.peers
    assert len(cluster.peers) == 3


def test_an_index_may_be_a_text():
    assert read('worker', '1').own.address == 'c:1'


def test_a_master_is_a_chief():
    cluster = read('master', 0, {'master': ['a:1'], 'worker': ['b:1']})
    assert cluster.own == cluster.chief == Task('chief', 0, 'a:1')


def test_without_a_chief_the_first_worker_is_one_and_the_others_move_up():
    workers = {'worker': ['a:1', 'b:1', 'c:1'], 'ps': []}
    assert read('worker', 0, workers).own == Task('chief', 0, 'a:1')
    third = read('worker', 2, workers)
    assert third.own == Task('worker', 1, 'c:1')
    assert json.loads(third.as_tf_config()) == {
        'cluster': {'chief': ['a:1'], 'worker': ['b:1', 'c:1']},
        'task': {'type': 'worker', 'index': 1},
    }


def test_a_chief_with_parameter_servers_alone_is_a_cluster():
    cluster = read('ps', 0, {'chief': ['a:1'], 'ps': ['b:1']})
    assert cluster.trainers == (Task('chief', 0, 'a:1'),)
    assert cluster.own in cluster.parameter_servers


@pytest.mark.parametrize(('listed', 'address'), [({}, ''), ({'evaluator': ['e:1']}, 'e:1')])
def test_an_evaluator_stands_beside_the_cluster(listed, address):
    cluster = read('evaluator', 0, {**THREE, **listed})
    assert cluster.own == Task('evaluator', 0, address)
    assert len(cluster.tasks) == 3
    assert not cluster.is_chief


def test_those_who_train_do_not_see_a_listed_evaluator():
    assert len(read('chief', 0, {**THREE, 'evaluator': ['e:1']}).tasks) == 3


def test_what_other_systems_add_is_left_alone():
    others = {'environment': 'cloud', 'job': {'args': []}, 'rpc_layer': 'grpc'}
    config = {'cluster': THREE, 'task': {'type': 'chief', 'index': 0, 'trial': '1'}, **others}
    assert read_cluster({'TF_CONFIG': json.dumps(config)}).is_chief


def test_ipv6_addresses_stand_in_brackets():
    cluster = read('chief', 0, {'chief': ['[::1]:22'], 'worker': ['[fe80::2%eth0]:22']})
    assert cluster.chief.address == '[::1]:22'


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', f'it is empty; unset it, or give it as {RIGHT}'),
        (' \n', f'it is empty; unset it, or give it as {RIGHT}'),
        (
            '{"cluster":',
            f'no JSON (Expecting value at character 12); right is {RIGHT}',
        ),
        ('[' * 100_000, f'no JSON (a number too long, or nested too deeply); right is {RIGHT}'),
        ('1' * 5000, f'no JSON (a number too long, or nested too deeply); right is {RIGHT}'),
        ('[1]', f'it is [1], not an object in braces; right is {RIGHT}'),
        ('null', f'it is null, not an object in braces; right is {RIGHT}'),
    ],
)
def test_a_text_that_is_no_object_is_refused(text, message):
    assert refusal(text) == message


def test_a_long_value_is_cut():
    assert refusal('"' + 'x' * 1000 + '"').startswith('it is "' + 'x' * 56 + '..., not an object')


@pytest.mark.parametrize(
    ('cluster', 'message'),
    [
        (['a:1'], f'cluster is ["a:1"], not an object in braces; right is {RIGHT}'),
        ({'chief': 'a:1'}, 'job chief: "a:1" is not a list of "host:port"'),
        ({'worker': {'0': 'a:1'}}, 'job worker: {"0": "a:1"} is not a list of "host:port"'),
        ({'wroker': []}, 'no job "wroker"; there are chief, worker, ps and evaluator'),
        ({'chief': ['a:1', 'b:1']}, '2 tasks of job chief: there can be one only'),
        (
            {**THREE, 'evaluator': ['d:1', 'e:1']},
            '2 tasks of job evaluator: there can be one only',
        ),
        (
            {'chief': ['a:1'], 'master': ['b:1']},
            'the cluster has a chief and a master, which is its old name: give one',
        ),
        ({'ps': ['a:1']}, 'the cluster has neither chief nor worker, so nobody trains'),
        (
            {'chief': ['a:1'], 'worker': ['b:1', 'a:1']},
            'chief 0 and worker 1 have the same address a:1',
        ),
    ],
)
def test_a_wrong_cluster_is_refused(cluster, message):
    assert refusal({'cluster': cluster, 'task': {'type': 'chief', 'index': 0}}) == message


@pytest.mark.parametrize(
    'address',
    ['a', 'a:', ':1', 'a:0', 'a:65536', 'a:1x', 'http://a:1', 'a b:1', '::1:22', 7, None, 'a:٣'],
)
def test_an_address_is_host_and_port(address):
    shown = json.dumps(address, ensure_ascii=False)
    assert refusal({'cluster': {'chief': [address]}}) == (
        f'job chief: {shown} is not a "host:port" with a port from 1 to 65535'
    )


@pytest.mark.parametrize(
    ('task', 'message'),
    [
        (None, f'the task of this process has no type; right is {RIGHT}'),
        ({'type': 'chief'}, f'the task of this process has no index; right is {RIGHT}'),
        ({'type': 'boss', 'index': 0}, 'no job "boss"; there are chief, worker, ps and evaluator'),
        ({'type': 'worker', 'index': 1.5}, 'task index 1.5 is not a whole number from 0'),
        ({'type': 'worker', 'index': True}, 'task index true is not a whole number from 0'),
        ({'type': 'worker', 'index': -1}, 'task index -1 is not a whole number from 0'),
        (
            {'type': 'worker', 'index': 2},
            'this process is worker 2, but the cluster has 2 of them (from 0)',
        ),
        ({'type': 'ps', 'index': 0}, 'this process is ps 0, but the cluster has none (from 0)'),
        (
            {'type': 'evaluator', 'index': 1},
            'this process is evaluator 1, but the cluster has 1 of them (from 0)',
        ),
    ],
)
def test_a_process_that_is_no_part_of_its_cluster_is_refused(task, message):
    config = {'cluster': THREE} | ({} if task is None else {'task': task})
    assert refusal(config) == message


@pytest.mark.parametrize(
    ('job', 'index', 'name'), [('ps', 0, 'ps 0'), ('evaluator', 0, 'evaluator 0')]
)
def test_a_task_of_a_missing_cluster_is_refused(job, index, name):
    message = refusal({'task': {'type': job, 'index': index}})
    assert message == f'a task {name}, but no cluster; right is {RIGHT}'


def test_an_empty_cluster_with_a_task_is_refused():
    for cluster in ({}, {'worker': []}):
        assert refusal({'cluster': cluster, 'task': {'type': 'worker', 'index': 0}}) == (
            f'the cluster is empty, but there is a task; right is {RIGHT}'
        )


def test_an_evaluator_of_a_process_that_evaluates_by_itself_is_refused():
    config = {'cluster': {'chief': ['a:1']}, 'task': {'type': 'evaluator', 'index': 0}}
    assert refusal(config) == (
        'an evaluator beside one process that trains: that one evaluates too; '
        'leave the evaluator out'
    )
