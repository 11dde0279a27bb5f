"""Two devices of one machine train as one does: two logical devices of the CPU stand for GPUs.

Each kind of model trains three epochs on one device, and in another folder one epoch on two, one on
a single one, and one on two again: a run may move between them.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from library.errors import ConfigError
from library.exporters.history import read_history
from tests.conftest import ROOT
from tests.forked import forked

STEPS = 4  # of an epoch: 24 images in batches of 6
EVERYTHING_IN_THE_LOSS = {
    'l2_regularization': 0.1,
    'class_weights': '0.5,1,3',
    'xentropy_label_smoothing': 0.1,
    'gradient_clip_norm': 0.3,
    'moving_average_decay': 0.9,
    'dropout_rate': 0.5,
}
WATCHED = {
    'hooks': 'environment,hparams,metrics,logging_tensors,examples_per_second',
    'logging_tensors_steps': 2,
    'examples_per_second_steps': 2,
    'save_summary_steps': 1,
    'summary_histograms': None,
    'summary_kernels': None,
}
KINDS = {
    'simple': {'model': 'simple', 'image_size': 32, **EVERYTHING_IN_THE_LOSS, **WATCHED},
    'frozen': {
        'no_cache_features': None,
        'hidden_units': 7,
        'dropout_rate': 0.4,
        'hooks': 'metrics,module_values',
    },
    'fine_tuned': {
        'fine_tuning': None,
        'no_train_batch_norm': None,
        'module_learning_rate_multiplier': 0.5,
        'gradient_clip_norm': 0.3,
        'moving_average_decay': 0.9,
        'dropout_rate': 0.4,
    },
}
# Features that were computed before; and evaluations that get no better, which end the run.
CACHED = {
    'cache_features': None,
    'optimizer': 'adamw',
    'weight_decay': 0.1,
    'dropout_rate': 0.4,
    'train_epochs': 6,
    'early_stopping_patience': 1,
    'early_stopping_min_delta': 10,
}
BATCH_NORM = {'fine_tuning': None, 'train_batch_size': 12, 'train_epochs': 1, 'learning_rate': 1e-4}
TWO = {'cpu_replicas': 2}
# A strategy's own way to sum up waits for ever where there are fewer threads than devices.
FEW_THREADS = {'inter_op_threads': 1, 'intra_op_threads': 1}


class Runs:
    """The folders of all runs, and what each start of them said."""

    def __init__(self, root, said):
        self.root: Path = root
        self.said: dict[str, str] = said

    def model_dir(self, name):
        return self.root / name / 'run'

    def metrics(self, name):
        lines = (self.model_dir(name) / 'metrics.jsonl').read_text().splitlines()
        return [json.loads(line) for line in lines]

    def losses(self, name):
        return np.array([line['loss'] for line in self.metrics(name)])

    def checkpoint(self, name):
        reader = tf.train.load_checkpoint(str(self.model_dir(name)))
        return {n: reader.get_tensor(n) for n in reader.get_variable_to_shape_map()}

    def evaluations(self, name):
        return read_history(str(self.model_dir(name)))


def words(data_dir, module_dir, folder, options):
    model = {} if options.get('model') == 'simple' else {'model': 'hub', 'module': module_dir}
    values = {
        'config_file': ROOT / 'project.yaml',
        'hyperparameter_file': ROOT / 'hyperparameters.yaml',
        'data_dir': data_dir,
        'model_dir': folder / 'run',
        'best_model_dir': folder / 'best',
        'train_batch_size': 6,
        'epochs_between_evals': 1,
        'learning_rate': 0.01,
        'hooks': 'metrics',
        'metrics_steps': 1,
        **model,
        **options,
    }
    flags = [[f'--{name}'] + [str(v)] * (v is not None) for name, v in values.items()]
    return ['train', *(word for flag in flags for word in flag)]


@pytest.fixture(scope='module')
def runs(data_dir, module_dir, tmp_path_factory):
    root = tmp_path_factory.mktemp('devices')
    commands = {}

    def add(start, folder, options):
        commands[start] = words(data_dir, module_dir, root / folder, options)

    for kind, options in KINDS.items():
        add(f'{kind} on one', f'{kind} on one', {**options, 'train_epochs': 3})
        for epoch, devices in enumerate((TWO | FEW_THREADS, {}, TWO), start=1):
            started = {**options, **devices, 'train_epochs': epoch}
            add(f'{kind} moving {epoch}', f'{kind} moving', started)
    for name, options in (('cached', CACHED), ('batch norm', BATCH_NORM)):
        add(f'{name} on one', f'{name} on one', options)
        add(f'{name} on two', f'{name} on two', {**options, **TWO})
    # As a module: beside the script, tests/library would be taken for the library.
    result = forked('-m', 'tests.trainings_on_devices', json.dumps(commands), seconds=600)
    assert result.returncode == 0, result.stderr
    assert 'Warning' not in result.stderr
    return Runs(root, json.loads(result.stdout))


PAIRS = [(f'{kind} on one', f'{kind} moving') for kind in KINDS]
PAIRS.append(('cached on one', 'cached on two'))


@pytest.mark.parametrize(('one', 'several'), PAIRS)
def test_two_devices_have_the_losses_of_one(runs, one, several):
    """Each step's, over the whole batch, with the same dropout, to the end of the last epoch."""
    losses = runs.losses(one)
    assert len(losses) == STEPS * (2 if one.startswith('cached') else 3)
    np.testing.assert_allclose(runs.losses(several), losses, rtol=0, atol=1e-4)


@pytest.mark.parametrize(('one', 'several'), PAIRS)
def test_checkpoints_hold_the_same_on_one_device_and_on_several(runs, one, several):
    expected, saved = runs.checkpoint(one), runs.checkpoint(several)
    assert set(saved) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(saved[name], value, rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(('one', 'several'), PAIRS)
def test_every_checkpoint_is_evaluated_and_the_best_one_kept(runs, one, several):
    of_one, of_several = runs.evaluations(one), runs.evaluations(several)
    assert [each['global_step'] for each in of_several] == [e['global_step'] for e in of_one]
    for mine, other in zip(of_several, of_one, strict=True):
        assert mine == pytest.approx(other, abs=1e-4)
    best = min(of_one, key=lambda each: each['average_loss'])['global_step']
    assert (runs.root / several / 'best' / f'model.ckpt-{best}.index').exists()


def test_a_frozen_module_is_the_same_to_the_last_bit_on_each_device(runs, module_dir):
    values = np.load(runs.model_dir('frozen moving') / 'module_values.npz')
    module = {
        v.name.removesuffix(':0'): v.numpy() for v in tf.saved_model.load(str(module_dir)).variables
    }
    assert len(values) == 2 * len(module) == 12
    for name, value in module.items():
        for device in range(2):
            np.testing.assert_array_equal(values[f'module/{name}:{device}'], value)


def test_checkpoints_of_a_frozen_module_hold_the_head_alone(runs):
    assert not any('module' in name for name in runs.checkpoint('frozen moving'))


def test_batch_norm_is_of_each_devices_share_and_its_averages_are_of_all(runs):
    """So fine-tuning on several devices is another training, though not a worse one."""
    one, two = (runs.checkpoint(f'batch norm on {devices}') for devices in ('one', 'two'))
    assert set(one) == set(two)
    means = 'module/batch_normalization/moving_mean'
    assert np.abs(one[means]).max() > 1e-3  # they have moved
    np.testing.assert_allclose(two[means], one[means], rtol=0.01, atol=1e-5)
    ends = [runs.evaluations(f'batch norm on {devices}')[-1] for devices in ('one', 'two')]
    assert ends[1]['average_loss'] == pytest.approx(ends[0]['average_loss'], abs=0.02)
    assert abs(runs.losses('batch norm on one') - runs.losses('batch norm on two')).max() > 1e-3


def test_early_stopping_ends_a_run_on_several_devices(runs):
    why = [
        runs.said[f'cached on {devices}'].partition('stopping early: ')[2].partition('\n')[0]
        for devices in ('one', 'two')
    ]
    assert why[0]
    assert why[0] == why[1]


def test_the_devices_and_their_shares_are_logged_once(runs):
    line = 'training on 2 devices (/cpu:0, /cpu:1): batches of 6, 3 on each\n'
    for start, text in runs.said.items():
        on_two = start.endswith(('on two', 'moving 1', 'moving 3'))
        assert text.count(line) == (on_two and 'batch norm' not in start), start
        assert text.count('training on') == on_two, start


def test_hooks_and_summaries_tell_of_several_devices_what_they_tell_of_one(runs):
    shown = runs.said['simple moving 1']
    assert shown.count('step 1: loss ') == shown.count('step 3: loss ') == 1
    one, two = (runs.model_dir(f'simple {name}') for name in ('on one', 'moving'))
    starts = [json.loads((d / 'environment.json').read_text())['starts'] for d in (one, two)]
    assert starts[0][0]['parameters'] == starts[1][0]['parameters']
    line = runs.metrics('simple moving')[0]
    assert set(line) == set(runs.metrics('simple on one')[0])
    curves = [tags_of_first_epoch(folder) for folder in (one, two)]
    # There are as many pictures as images on the first device.
    pictures = {f'images/image/{number}' for number in (3, 4, 5)}
    curves[0] -= pictures
    assert curves[0] == curves[1]
    assert {'loss', 'accuracy', 'gradient_norm', 'losses/l2', 'kernels/image'} <= curves[0]


def tags_of_first_epoch(folder):
    """All that TensorBoard would show of it."""
    (path,) = folder.glob('events.out.*')
    return {
        value.tag
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
        if event.step < STEPS
    }


def test_more_gpus_than_there_are_is_one_line(launch, tmp_path):
    with pytest.raises(ConfigError, match=r'^--num_gpus 64: TensorFlow finds .* here') as error:
        launch(tmp_path, num_gpus=64, train_batch_size=64)
    assert error.value.exit_code == 2


def test_a_batch_that_two_devices_cannot_share_is_one_line(launch, tmp_path):
    nearest = (
        r'--train_batch_size 5 .*: cannot be divided evenly; the nearest that can are 4 and 6$'
    )
    with pytest.raises(ConfigError, match=nearest) as error:
        launch(tmp_path, cpu_replicas=2, train_batch_size=5)
    assert error.value.exit_code == 2
