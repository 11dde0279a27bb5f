"""Which devices of one machine a run may ask for, and which batches they can share."""

from __future__ import annotations

import json

import pytest

from library.config.command_line import parse
from library.config.hparams import resolve
from library.errors import ConfigError
from library.modes.device_checks import check_batch, check_distribution
from project.options import CATALOG
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv('TF_CONFIG', raising=False)


def check(words):
    check_distribution(resolve(CATALOG, parse(['train', *words.split()], CATALOG, ['train'])))


def refusal(words):
    with pytest.raises(ConfigError) as error:
        check(words)
    return str(error.value)


@pytest.mark.parametrize(
    'words',
    [
        '',
        '--num_gpus 2 --all_reduce_alg nccl',
        '--cpu_replicas 2 --all_reduce_alg reduction_to_one_device',
        '--num_gpus -1 --all_reduce_alg hierarchical_copy',
    ],
)
def test_what_goes_together_is_let_through(words):
    check(words)


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ('--cpu_replicas 2 --num_gpus 0', '--cpu_replicas and --num_gpus: give one of them'),
        (
            '--all_reduce_alg ring',
            '--all_reduce_alg ring: not with mirrored; there is auto, nccl, hierarchical_copy, '
            'reduction_to_one_device',
        ),
        (
            '--all_reduce_alg nccl --cpu_replicas 2',
            '--all_reduce_alg nccl: not with mirrored without GPUs; there is auto, '
            'reduction_to_one_device',
        ),
    ],
)
def test_what_does_not_go_together_is_refused(words, message):
    assert refusal(words) == message


def test_a_batch_that_the_devices_cannot_share_is_refused():
    assert refusal('--cpu_replicas 2 --train_batch_size 5').startswith(
        '--train_batch_size 5 (of 2 replicas)'
    )
    assert refusal('--num_gpus 4 --train_batch_size 6').startswith(
        '--train_batch_size 6 (of 4 replicas)'
    )
    # How many all are, TensorFlow knows.
    check('--num_gpus -1 --train_batch_size 5')
    check('--num_gpus 0 --train_batch_size 5')


@pytest.mark.parametrize(
    'config',
    [
        {'cluster': {'chief': ['a:1'], 'worker': ['b:1']}},
        {'cluster': {'chief': ['a:1']}, 'task': {'type': 'evaluator', 'index': 0}},
    ],
)
def test_a_cluster_takes_the_extra(monkeypatch, config):
    monkeypatch.setenv('TF_CONFIG', json.dumps(config))
    assert refusal('') == (
        'TF_CONFIG: names a cluster of several tasks, which takes extras/cluster, and this clone '
        'does not have it'
    )


@pytest.mark.parametrize(
    'text',
    [
        '{}',
        '{"cluster": {}, "environment": "cloud"}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}',
    ],
)
def test_a_single_task_is_no_cluster(monkeypatch, text):
    monkeypatch.setenv('TF_CONFIG', text)
    check('')


@pytest.mark.parametrize('text', ['', '[]', '{', '{"cluster": 1}', '{"cluster": {"worker": 1}}'])
def test_what_cannot_be_read_is_one_line(monkeypatch, text):
    monkeypatch.setenv('TF_CONFIG', text)
    assert refusal('') == 'TF_CONFIG: cannot be read; unset it to train on one machine'


@pytest.mark.parametrize(('size', 'replicas'), [(32, 4), (4, 4), (1, 1), (33, 1), (33, 3)])
def test_a_batch_that_can_be_divided_is_right(size, replicas):
    check_batch(size, replicas, '--batch_size')


@pytest.mark.parametrize(
    ('size', 'replicas', 'nearest'),
    [
        (33, 4, 'the nearest that can are 32 and 36'),
        (35, 4, 'the nearest that can are 32 and 36'),
        (3, 4, 'the nearest that can is 4'),
    ],
)
def test_of_a_batch_that_cannot_the_nearest_sizes_are_reported(size, replicas, nearest):
    with pytest.raises(ConfigError) as caught:
        check_batch(size, replicas, '--train_batch_size')
    assert str(caught.value) == (
        f'--train_batch_size {size} (of {replicas} replicas): cannot be divided evenly; {nearest}'
    )
