"""The same steps on one device and on two."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.forked import forked

pytestmark = pytest.mark.process

ADAM = {'optimizer': 'adam', 'clip_norm': 0.5, 'loss_scale': None}
SGD = {'optimizer': 'sgd', 'clip_norm': 0.5, 'loss_scale': None}
RUNS = {
    'adam_on_one': {'replicas': 1, **ADAM},
    'adam_on_two': {'replicas': 2, **ADAM},
    'sgd_on_one': {'replicas': 1, **SGD},
    'sgd_on_two': {'replicas': 2, **SGD},
    'scaled_on_two': {'replicas': 2, **ADAM, 'loss_scale': 'dynamic'},
}


@pytest.fixture(scope='module')
def runs(tmp_path_factory):
    script = Path(__file__).with_name('replicas.py')
    folder = tmp_path_factory.mktemp('replicas')
    result = forked(script, folder, json.dumps(RUNS), PYTHONPATH='.')
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def assert_same(one, two):
    assert set(one) == set(two)
    for name, value in one.items():
        np.testing.assert_allclose(two[name], value, rtol=1e-5, atol=1e-7, err_msg=name)


@pytest.mark.parametrize('optimizer', ['adam', 'sgd'])
def test_two_replicas_make_the_clipped_step_of_one_with_the_same_batch(runs, optimizer):
    """Averages, their names and the optimizer's own variables included."""
    one, two = runs[f'{optimizer}_on_one'], runs[f'{optimizer}_on_two']
    assert_same(one['variables'], two['variables'])
    assert min(one['norms']) > 0.5  # so it was clipped
    np.testing.assert_allclose(two['norms'], one['norms'], rtol=1e-5)


def test_what_each_replica_measures_alone_is_averaged_over_the_replicas(runs):
    batches = np.reshape(runs['images'], [3, 4, 2])
    average = batches[0].mean(axis=0)
    for step in (1, 2):
        rate = min(0.9, (1 + step) / (10 + step))
        average = rate * average + (1 - rate) * batches[step].mean(axis=0)
    saved = runs['adam_on_two']['variables']['ema/module/mean']
    np.testing.assert_allclose(saved, average, rtol=1e-5)


def test_a_dynamic_loss_scale_changes_no_step_of_two_replicas(runs):
    scaled = dict(runs['scaled_on_two']['variables'])
    assert scaled.pop('current_loss_scale') == 2**15
    assert scaled.pop('good_steps') == 3
    assert_same(runs['adam_on_two']['variables'], scaled)


def test_no_variable_of_a_checkpoint_tells_how_many_devices_there_were(runs):
    assert sorted(runs['adam_on_two']['variables']) == [
        'beta1_power',
        'beta2_power',
        'ema/head/w',
        'ema/module/mean',
        'ema/module/w',
        'global_step',
        'head/w',
        'head/w/Adam',
        'head/w/Adam_1',
        'module/beta1_power',
        'module/beta2_power',
        'module/mean',
        'module/w',
        'module/w/Adam',
        'module/w/Adam_1',
    ]
