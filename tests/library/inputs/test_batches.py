"""Batches to a device."""

from __future__ import annotations

import pytest
import tensorflow as tf

from library.errors import ConfigError
from library.inputs.batches import prefetch, prefetch_to_device


def test_a_named_device_gets_the_batches():
    dataset = prefetch_to_device(tf.data.Dataset.range(3), '/cpu:0', has_strategy=False)
    assert list(dataset.as_numpy_iterator()) == [0, 1, 2]


@pytest.mark.parametrize(('device', 'has_strategy'), [('none', False), ('/cpu:0', True)])
def test_nothing_is_added_without_a_device_or_under_a_strategy(device, has_strategy):
    dataset = tf.data.Dataset.range(3)
    assert prefetch_to_device(dataset, device, has_strategy) is dataset


def test_auto_takes_the_only_gpu(monkeypatch):
    asked = []
    gpu = tf.config.PhysicalDevice('/physical_device:GPU:0', 'GPU')
    monkeypatch.setattr(tf.config, 'get_visible_devices', lambda kind=None: [gpu])
    monkeypatch.setattr(
        tf.data.experimental, 'prefetch_to_device', lambda name: asked.append(name) or (lambda d: d)
    )
    prefetch_to_device(tf.data.Dataset.range(1), 'auto', has_strategy=False)
    prefetch_to_device(tf.data.Dataset.range(1), 'auto', has_strategy=True)
    monkeypatch.setattr(tf.config, 'get_visible_devices', lambda kind=None: [gpu, gpu])
    prefetch_to_device(tf.data.Dataset.range(1), 'auto', has_strategy=False)
    monkeypatch.setattr(tf.config, 'get_visible_devices', lambda kind=None: [])
    prefetch_to_device(tf.data.Dataset.range(1), 'auto', has_strategy=False)
    assert asked == ['/gpu:0']


def test_an_unknown_device_is_named_with_those_there_are():
    with pytest.raises(ConfigError, match=r"no device '/gpu:7' here \(there are .*/cpu:0"):
        prefetch_to_device(tf.data.Dataset.range(1), '/gpu:7', has_strategy=False)


@pytest.mark.parametrize('batches', [None, 3])
def test_batches_are_kept_ready_by_a_chain_that_nothing_tunes(batches):
    dataset = prefetch(tf.data.Dataset.range(5), batches)
    assert list(dataset.as_numpy_iterator()) == [0, 1, 2, 3, 4]
    # The thread that tunes it can miss the iterator's end, for which a session waits.
    assert dataset.options().autotune.enabled is False
