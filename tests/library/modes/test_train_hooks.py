"""Whole training runs under hooks."""

from __future__ import annotations

import json

import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from library.checkpoints.saver import SaveWhereDueHook
from library.errors import ConfigError
from library.hooks.environment_log import read_starts
from library.hooks.examples_per_second import ExamplesPerSecondHook
from library.hooks.metrics_log import MetricsLogHook
from library.hooks.progress import ProgressHook
from project.hooks import HOOKS


def metrics(folder):
    lines = (folder / 'checkpoints' / 'metrics.jsonl').read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != 'time'} for line in lines]


def read_events(folder):
    tf.compat.v1.summary.FileWriterCache.clear()
    events = EventAccumulator(str(folder))
    events.Reload()
    return events


def test_all_hooks_together_leave_their_files(launch, tmp_path, capsys):
    flags = {'profiler_steps': 4, 'metrics_steps': 4, 'logging_tensors_steps': 4}
    flags |= {'save_summary_steps': 1, 'summary_histograms': None, 'summary_kernels': None}
    flags |= {'epochs_between_evals': 9, 'fine_tuning': None, 'hooks': ','.join(HOOKS)}
    assert launch(tmp_path, train_epochs=3, **flags) == 0
    folder = tmp_path / 'checkpoints'
    names = {path.name for path in folder.iterdir()}
    assert {'timeline-4.json', 'timeline-8.json', 'metrics.jsonl', 'environment.json'} <= names
    found = metrics(tmp_path)
    assert [line['step'] for line in found] == [4, 8, 12]
    assert {'loss', 'losses/cross_entropy', 'learning_rate', 'accuracy'} <= set(found[0])
    assert found[0]['learning_rate'] == 0.01
    out = capsys.readouterr().out
    assert 'step 5: loss 0.' in out
    assert 'step 12: ' in out
    assert ' examples/s (average ' in out
    tags = read_events(folder).Tags()
    assert {'loss', 'losses/cross_entropy', 'learning_rate', 'accuracy'} <= set(tags['scalars'])
    assert {'speed/examples_per_second', 'speed/steps_per_second'} <= set(tags['scalars'])
    assert {'images/image/0', 'kernels/image'} <= set(tags['images'])
    variables = {'head/logits/kernel', 'head/logits/bias', 'module/conv2d/kernel'}
    assert {f'variables/{name}' for name in variables} <= set(tags['histograms'])


def test_a_stop_and_a_resume_leave_the_metrics_of_a_run_without_a_stop(launch, tmp_path):
    # The stop, at step 4, falls between two lines.
    flags = {'hooks': 'metrics', 'metrics_steps': 3, 'epochs_between_evals': 9}
    flags |= {'model': 'simple', 'image_size': 16}
    assert launch(tmp_path / 'whole', train_epochs=3, **flags) == 0
    assert launch(tmp_path / 'parts', train_epochs=1, **flags) == 0
    assert launch(tmp_path / 'parts', train_epochs=3, **flags) == 0
    assert [line['step'] for line in metrics(tmp_path / 'whole')] == [3, 6, 9, 12]
    assert metrics(tmp_path / 'whole') == metrics(tmp_path / 'parts')


@pytest.fixture(scope='module')
def finished(trained_copy, tmp_path_factory):
    """The folder of a run of one epoch with the hooks that are on by default."""
    folder = tmp_path_factory.mktemp('finished')
    trained_copy(folder, train_epochs=1)
    return folder / 'checkpoints'


def test_the_environment_counts_frozen_parameters_apart(finished):
    (start,) = read_starts(str(finished))
    # Head: 8 x 3 + 3. Module: a kernel of 3 x 3 x 3 x 8 with its bias, and 4 x 8 of batch norm.
    assert start['parameters'] == {'trained': 27, 'all': 27 + 216 + 8 + 32}
    assert start['step'] == 0


def test_the_hparams_table_gets_a_row_that_names_what_was_learned_with(finished):
    found = read_events(finished).PluginTagToContent(metadata.PLUGIN_NAME)
    assert set(found) == {metadata.SESSION_START_INFO_TAG, metadata.SESSION_END_INFO_TAG}
    info = metadata.parse_session_start_info_plugin_data(found[metadata.SESSION_START_INFO_TAG])
    values = info.hparams
    assert values['model'].string_value == 'hub'
    assert values['batch_size'].number_value == 6
    assert values['learning_rate'].number_value == 0.01
    assert values['optimizer'].string_value == 'adam'
    assert 'model_dir' not in values
    # The table joins them with the scalars of the folder eval/ below.
    scalars = read_events(finished / 'eval').Tags()['scalars']
    assert {'accuracy', 'average_loss'} <= set(scalars)


def test_no_evaluation_counts_as_time_of_training(launch, tmp_path, monkeypatch):
    specs = []
    monkeypatch.setattr(
        tf.estimator, 'train_and_evaluate', lambda estimator, train, evaluate: specs.append(train)
    )
    assert launch(tmp_path, hooks='metrics,examples_per_second') == 0
    kinds = [type(hook) for hook in specs[0].hooks]
    saver = kinds.index(SaveWhereDueHook)  # it evaluates after each checkpoint
    for kind in (MetricsLogHook, ExamplesPerSecondHook, ProgressHook):
        assert kinds.index(kind) < saver


def test_a_tensor_that_is_not_there_ends_the_run_before_it_writes(launch, tmp_path):
    with pytest.raises(ConfigError, match='--log_tensors acuracy: no such tensor in the graph'):
        launch(tmp_path, hooks='logging_tensors', log_tensors='acuracy')
    assert not list((tmp_path / 'checkpoints').glob('model.ckpt*'))


def test_a_run_in_a_remote_folder_is_watched_too(launch, tmp_path):
    where = {'model_dir': 'ram://watched/run', 'best_model_dir': 'ram://watched/best'}
    flags = {'metrics_steps': 2, 'profiler_steps': 2, 'model': 'simple', 'image_size': 16}
    assert launch(tmp_path, train_epochs=1, hooks=','.join(HOOKS), **where, **flags) == 0
    names = tf.io.gfile.listdir('ram://watched/run')
    assert {'environment.json', 'metrics.jsonl', 'timeline-2.json'} <= set(names)
    with tf.io.gfile.GFile('ram://watched/run/metrics.jsonl') as file:
        assert [json.loads(line)['step'] for line in file.read().splitlines()] == [2, 4]
