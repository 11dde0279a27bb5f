"""Which hooks a run on one machine trains under."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
import tensorflow as tf

import run
from library.checkpoints.fit import CheckpointFitHook
from library.checkpoints.saver import SaveWhereDueHook
from library.hooks.end_where import EndWhereHook
from library.hooks.finite import FiniteLossHook, FiniteVariablesListener
from library.hooks.metrics_log import MetricsLogHook
from library.hooks.progress import ProgressHook
from library.hooks.stop_on_signal import StopRequest
from library.modes.training_hooks import training_hooks
from library.runtime.distribution import Distribution
from tests.conftest import ROOT

pytestmark = pytest.mark.graph


@pytest.fixture
def rules():
    """Rules of an early end that are not reached."""
    return SimpleNamespace(is_reached=False)


@pytest.fixture
def hooks_of(data_dir, tmp_path, rules, monkeypatch):
    """The hooks of a run of 24 images in batches of 6, for two epochs."""
    monkeypatch.delenv('TF_CONFIG', raising=False)

    def make(devices=('/cpu:0',), request=None, **flags):
        values = {
            'config_file': ROOT / 'project.yaml',
            'hyperparameter_file': ROOT / 'hyperparameters.yaml',
            'data_dir': data_dir,
            'model': 'simple',
            'model_dir': tmp_path / 'run',
            'train_batch_size': 6,
            'train_epochs': 2,
            'hooks': 'metrics',
            **flags,
        }
        words = [f'--{name}={value}' for name, value in values.items()]
        made = run.open_experiment(['train', *words])
        made = dataclasses.replace(made, distribution=Distribution(None, len(devices), devices))
        return training_hooks(made, request or StopRequest(), rules)

    return make


def of_kind(hooks, kind):
    """The hooks of this class, in order."""
    return [hook for hook in hooks if type(hook) is kind]


@pytest.mark.parametrize('devices', [('/cpu:0',), ('/cpu:0', '/cpu:1')])
def test_the_hooks_have_this_order(hooks_of, devices):
    """What is not finite ends a run before the saver."""
    assert [type(hook) for hook in hooks_of(devices)] == [
        FiniteLossHook,
        CheckpointFitHook,
        MetricsLogHook,
        ProgressHook,
        SaveWhereDueHook,
        *[EndWhereHook] * 3,
    ]


def test_no_variable_is_saved_that_is_not_finite(hooks_of):
    (saver,) = of_kind(hooks_of(), SaveWhereDueHook)
    assert [type(each) for each in saver._listeners] == [FiniteVariablesListener]


def saves_at(saver, steps, seconds=0.0):
    return [step for step in steps if saver._is_due(step, seconds)]


@pytest.mark.parametrize(
    ('flags', 'steps'),
    [
        ({'epochs_between_evals': 1}, [4, 8]),
        ({'epochs_between_evals': 2}, [8]),
        ({'save_checkpoints_steps': 3}, [3, 6, 8]),
    ],
)
def test_a_run_saves_at_these_steps(hooks_of, flags, steps):
    (saver,) = of_kind(hooks_of(**flags), SaveWhereDueHook)
    assert saves_at(saver, range(1, 9)) == steps


def test_a_run_saves_by_the_clock(hooks_of):
    (saver,) = of_kind(hooks_of(save_checkpoints_secs=30), SaveWhereDueHook)
    assert saves_at(saver, [3, 4], seconds=29.9) == []
    assert saves_at(saver, [3, 4], seconds=30) == [3, 4]


def ends(hooks):
    """Whether a hook ends training now."""
    asked = []
    for hook in of_kind(hooks, EndWhereHook):
        hook.after_run(SimpleNamespace(request_stop=lambda: asked.append(True)), None)
    return bool(asked)


def test_the_rules_end_a_run(hooks_of, rules):
    hooks = hooks_of()
    assert not ends(hooks)
    rules.is_reached = True
    assert ends(hooks)


def test_a_signal_ends_a_run(hooks_of):
    request = StopRequest()
    hooks = hooks_of(request=request)
    assert not ends(hooks)
    request.signal_number = 15
    assert ends(hooks)


def test_the_last_step_ends_a_run(hooks_of):
    hooks = hooks_of()
    (saver,) = of_kind(hooks, SaveWhereDueHook)
    for saver.step, is_end in ((7, False), (8, True)):
        assert ends(hooks) == is_end


def test_the_values_of_the_run_are_kept_once_the_checkpoint_fits(hooks_of, tmp_path):
    (fit,) = of_kind(hooks_of(), CheckpointFitHook)
    with tf.Graph().as_default():
        fit.begin()
    assert (tmp_path / 'run' / 'hparams.yaml').exists()
