"""Options to the devices that train: one, or several with a strategy."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest
import tensorflow as tf

from library.errors import ConfigError
from library.extras import Extras
from library.runtime.distribution import Distribution, make_distribution, of_one_machine
from library.runtime.options import DistributionOptions

pytestmark = pytest.mark.graph


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


def made_of(**options):
    return of_one_machine(DistributionOptions(**options))


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


def test_one_machine_does_alone_what_there_is_to_do():
    distribution = Distribution(None, 1, ('/cpu:0',))
    done, given = [], tf.distribute.InputContext()
    distribution.train('run', done.append)
    assert done == ['run']
    assert distribution.is_alone
    assert distribution.input_context(given) is given
    assert distribution.wrapped(print) is print


class Values(SimpleNamespace):
    """HParams of a mode."""

    def __contains__(self, name):
        return hasattr(self, name)

    def take(self, cls):
        return cls(**vars(self))


@pytest.mark.parametrize(('values', 'devices'), [({'num_gpus': 0}, ('/cpu:0',)), ({}, ('/gpu:0',))])
def test_only_modes_that_train_ask_for_devices_and_none_looks_for_others(
    machine, monkeypatch, values, devices
):
    machine(2)
    monkeypatch.setenv('TF_CONFIG', '{}')
    assert make_distribution(Values(**values), Extras()).devices == devices
    assert 'TF_CONFIG' not in os.environ
