"""Training runs, in this process, on a small module."""

from __future__ import annotations

import json
import os
import shutil
import signal

import numpy as np
import pytest
import tensorflow as tf

from library.errors import ConfigError, MismatchError, NumericalError, Stopped
from library.exporters.evaluation_log import read_history
from library.hooks.progress import ProgressHook
from library.installation import start_of
from library.runtime.entry import run_program

# Sooner built than a module is loaded, for what holds of all models.
SIMPLE = {'model': 'simple', 'image_size': 16}


def newest(folder):
    return tf.train.latest_checkpoint(str(folder / 'checkpoints'))


def values(folder):
    reader = tf.train.load_checkpoint(newest(folder))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def evaluated_steps(folder):
    return [each['global_step'] for each in read_history(str(folder / 'checkpoints'))]


def test_epochs_become_steps_and_every_interval_is_evaluated(launch, tmp_path):
    # 24 images in batches of 7: an epoch is 3.43 steps.
    lengths = {'train_batch_size': 7, 'train_epochs': 5, 'epochs_between_evals': 2}
    assert launch(tmp_path, **lengths, **SIMPLE) == 0
    assert evaluated_steps(tmp_path) == [7, 14, 18]
    assert newest(tmp_path).endswith('model.ckpt-18')


@pytest.mark.parametrize('fine_tuning', [False, True])
def test_two_runs_of_one_seed_are_alike_to_the_last_bit(
    launch, trained_copy, tmp_path, fine_tuning
):
    flags = {'fine_tuning': None, 'epochs_between_evals': 2} if fine_tuning else {}
    trained_copy(tmp_path / 'one', **flags)
    assert launch(tmp_path / 'two', **flags) == 0
    one, two = values(tmp_path / 'one'), values(tmp_path / 'two')
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], two[name], err_msg=name)


def test_another_seed_is_another_run(launch, tmp_path):
    for seed in (1, 2):
        assert launch(tmp_path / str(seed), random_seed=seed, train_epochs=1, **SIMPLE) == 0
    first, second = (values(tmp_path / str(seed))['head/logits/kernel'] for seed in (1, 2))
    assert (first != second).any()


def test_a_resumed_run_goes_on_to_the_same_total(launch, trained_copy, tmp_path, capsys):
    trained_copy(tmp_path, train_epochs=1)
    assert launch(tmp_path, train_epochs=3) == 0
    assert evaluated_steps(tmp_path) == [4, 8, 12]
    assert 'train_epochs: 1 -> 3 (command line)' in capsys.readouterr().out


@pytest.mark.parametrize('fine_tuning', [False, True])
def test_a_stop_and_a_resume_change_no_bit_of_the_result(launch, tmp_path, fine_tuning):
    # 24 images in batches of 7: the stop falls inside an epoch of the data.
    flags = {'train_batch_size': 7, 'epochs_between_evals': 9}
    flags |= {'fine_tuning': None} if fine_tuning else {}
    assert launch(tmp_path / 'whole', train_epochs=3, **flags) == 0
    assert launch(tmp_path / 'parts', train_epochs=1, **flags) == 0
    assert launch(tmp_path / 'parts', train_epochs=3, **flags) == 0
    whole, parts = values(tmp_path / 'whole'), values(tmp_path / 'parts')
    assert whole.keys() == parts.keys()
    for name in whole:
        np.testing.assert_array_equal(whole[name], parts[name], err_msg=name)


def test_a_resumed_run_follows_a_changed_learning_rate(launch, trained_copy, tmp_path):
    trained_copy(tmp_path, train_epochs=1)
    before = values(tmp_path)['head/logits/kernel']
    assert launch(tmp_path, train_epochs=2, learning_rate=1e-12) == 0
    np.testing.assert_allclose(values(tmp_path)['head/logits/kernel'], before, atol=1e-9)


def test_a_finished_run_says_so_and_changes_nothing(launch, trained_copy, tmp_path, capsys):
    trained_copy(tmp_path)
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / 'checkpoints').glob('model.ckpt*')}
    capsys.readouterr()
    assert launch(tmp_path) == 0
    out = capsys.readouterr().out
    assert 'step 8: all 8 steps are trained already' in out
    assert 'best: step' in out
    assert before == {p: p.stat().st_mtime_ns for p in before}


@pytest.mark.parametrize('more_epochs', [0, 1])
def test_an_evaluation_that_a_kill_prevented_is_made_up_for(
    launch, trained_copy, tmp_path, capsys, more_epochs
):
    trained_copy(tmp_path)
    history = tmp_path / 'checkpoints' / 'eval' / 'history.jsonl'
    lines = history.read_text().splitlines(keepends=True)
    history.write_text(''.join(lines[:-1]))
    for path in (tmp_path / 'best').iterdir():
        path.unlink()
    assert launch(tmp_path, train_epochs=2 + more_epochs) == 0
    assert 'model.ckpt-8 was never evaluated: doing that first' in capsys.readouterr().out
    assert 8 in evaluated_steps(tmp_path)
    assert (tmp_path / 'best' / 'best.json').exists()


def test_a_signal_saves_between_the_epochs_and_the_rest_keeps_its_steps(
    launch, tmp_path, monkeypatch
):
    class SignalAtStep6(ProgressHook):
        def after_run(self, run_context, run_values):
            super().after_run(run_context, run_values)
            if self._step == 6:
                os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr('library.modes.training_hooks.ProgressHook', SignalAtStep6)
    with pytest.raises(Stopped, match='stopped by SIGTERM after a checkpoint') as stopped:
        launch(tmp_path, train_epochs=3, **SIMPLE)
    assert stopped.value.exit_code == 143
    assert newest(tmp_path).endswith('model.ckpt-6')
    assert evaluated_steps(tmp_path) == [4]
    monkeypatch.undo()
    assert launch(tmp_path, train_epochs=3, **SIMPLE) == 0
    assert evaluated_steps(tmp_path) == [4, 8, 12]


@pytest.mark.parametrize('train_epochs', [2, 3])
def test_another_width_is_refused_and_leaves_the_runs_values(
    launch, trained_copy, tmp_path, train_epochs
):
    trained_copy(tmp_path, hidden_units=5)
    saved = (tmp_path / 'checkpoints' / 'hparams.yaml').read_text()
    with pytest.raises(MismatchError, match=r'head/hidden/kernel has the shape \[8, 5\]') as error:
        launch(tmp_path, hidden_units=6, train_epochs=train_epochs)
    assert error.value.exit_code == 4
    assert (tmp_path / 'checkpoints' / 'hparams.yaml').read_text() == saved


def test_other_classes_than_the_runs_are_refused(launch, trained_copy, tmp_path, data_dir):
    trained_copy(tmp_path / 'run', train_epochs=1)
    for split in ('train', 'test'):
        folder = tmp_path / 'renamed' / split
        folder.mkdir(parents=True)
        for path in (data_dir / split).iterdir():
            (folder / path.name).write_bytes(path.read_bytes().replace(b'"red"', b'"rot"'))
    with pytest.raises(
        MismatchError, match=r'trained on 3 classes \(blue, green, red\), but .*rot'
    ):
        launch(tmp_path / 'run', data_dir=tmp_path / 'renamed')


def test_one_folder_for_both_kinds_of_checkpoints_is_refused(launch, tmp_path):
    with pytest.raises(ConfigError, match='must be another folder'):
        launch(tmp_path, best_model_dir=tmp_path / 'checkpoints')


def test_a_folder_of_best_checkpoints_is_not_trained_in(launch, trained_copy, tmp_path):
    trained_copy(tmp_path, train_epochs=1)
    with pytest.raises(ConfigError, match='holds the best checkpoints of a run') as error:
        launch(tmp_path, model_dir=tmp_path / 'best', best_model_dir=tmp_path / 'other')
    assert error.value.exit_code == 2


def test_a_runs_folder_is_not_taken_for_best_checkpoints(launch, trained_copy, tmp_path):
    trained_copy(tmp_path / 'one', train_epochs=1)
    with pytest.raises(ConfigError, match=r'checkpoints: a run lives there \(--best_model_dir\)'):
        launch(tmp_path / 'two', best_model_dir=tmp_path / 'one' / 'checkpoints')


def test_two_runs_may_share_a_folder_for_the_best_one_after_the_other(launch, tmp_path, capsys):
    shared = {'best_model_dir': tmp_path / 'shared', **SIMPLE}
    for name in ('one', 'two'):
        assert launch(tmp_path / name, train_epochs=2, **shared) == 0
    first = read_history(str(tmp_path / 'one' / 'checkpoints'))
    capsys.readouterr()
    assert launch(tmp_path / 'one', train_epochs=2, **shared) == 0
    assert 'best:' not in capsys.readouterr().out  # what lies there is the other run's
    flags = {'xentropy_label_smoothing': 0.9, 'learning_rate': 1}
    assert launch(tmp_path / 'one', train_epochs=6, **shared, **flags) == 0
    state = json.loads((tmp_path / 'shared' / 'best.json').read_text())
    losses = [each['average_loss'] for each in read_history(str(tmp_path / 'one' / 'checkpoints'))]
    assert state['snapshots'][0]['value'] == pytest.approx(min(losses))
    assert min(losses) <= min(each['average_loss'] for each in first)


def test_a_loss_that_is_no_number_ends_the_run(launch, tmp_path):
    with pytest.raises(
        NumericalError, match=r'step \d+: the loss is (nan|inf); the last checkpoint is good'
    ) as error:
        launch(tmp_path, learning_rate=1e38, fine_tuning=None, train_epochs=9)
    assert error.value.exit_code == 6


def test_keep_checkpoint_max_bounds_the_checkpoints_and_minus_one_keeps_all(launch, tmp_path):
    for keep, count in ((2, 2), (-1, 5)):
        folder = tmp_path / str(keep)
        assert launch(folder, train_epochs=4, keep_checkpoint_max=keep, **SIMPLE) == 0
        assert len(list((folder / 'checkpoints').glob('model.ckpt-*.index'))) == count


def test_tensorboard_gets_scalars_and_input_images(launch, tmp_path):
    assert launch(tmp_path, save_summary_steps=1, train_epochs=1) == 0
    (events,) = (tmp_path / 'checkpoints').glob('events.*')
    tags = {
        value.tag
        for event in tf.compat.v1.train.summary_iterator(str(events))
        for value in event.summary.value
    }
    assert {'loss', 'accuracy', 'learning_rate', 'images/image/0'} <= tags


def test_xla_without_a_gpu_is_a_warning(launch, tmp_path, caplog):
    assert launch(tmp_path, xla=None, train_epochs=1, **SIMPLE) == 0
    assert '--xla has no effect without a GPU' in caplog.text


def test_the_runs_values_are_written_with_their_origin(trained_copy, tmp_path):
    trained_copy(tmp_path, train_epochs=1)
    text = (tmp_path / 'checkpoints' / 'hparams.yaml').read_text()
    assert 'learning_rate: 0.01  # command line' in text
    assert 'image_size: 32  # model hub' in text
    assert 'class_names: [blue, green, red]' in text


def test_the_best_survives_a_restart_that_gets_worse(launch, tmp_path):
    assert launch(tmp_path, train_epochs=4, learning_rate=0.3) == 0
    before = json.loads((tmp_path / 'best' / 'best.json').read_text())
    assert before['snapshots'][0]['value'] < 0.5
    # So much smoothing asks for almost equal probabilities: -log 0.4 = 0.92 at the least.
    flags = {'xentropy_label_smoothing': 0.9, 'learning_rate': 1, 'epochs_between_evals': 4}
    assert launch(tmp_path, train_epochs=8, **flags) == 0
    assert read_history(str(tmp_path / 'checkpoints'))[-1]['average_loss'] > 0.5
    assert json.loads((tmp_path / 'best' / 'best.json').read_text()) == before


def test_a_damaged_record_is_one_line_that_names_the_check(launch, tmp_path, data_dir, capsys):
    for split in ('train', 'test'):
        shutil.copytree(data_dir / split, tmp_path / 'data' / split)
    shard = tmp_path / 'data' / 'train' / 'train-00000-of-00002.tfrecord'
    content = bytearray(shard.read_bytes())
    content[50] ^= 1
    shard.write_bytes(content)
    status = run_program(lambda argv: launch(tmp_path, data_dir=tmp_path / 'data'), [])
    assert status == 3
    assert capsys.readouterr().err.splitlines()[-1] == (
        f'error: a shard is damaged; {start_of("convert_dataset.py")} --verify DATA_DIR shows which'
    )


def test_an_unknown_metric_is_reported_before_training(launch, tmp_path):
    with pytest.raises(ConfigError, match="no metric 'acuracy'; did you mean 'accuracy'"):
        launch(tmp_path, best_metric='acuracy')
    assert not list((tmp_path / 'checkpoints').glob('model.ckpt-*'))


def test_a_run_in_a_remote_folder_trains_resumes_and_is_evaluated(launch, tmp_path):
    remote = {'model_dir': 'ram://remote/run', 'best_model_dir': 'ram://remote/best'}
    assert launch(tmp_path, train_epochs=1, **remote, **SIMPLE) == 0
    assert launch(tmp_path, train_epochs=2, **remote, **SIMPLE) == 0
    assert launch(tmp_path, 'evaluate', model_dir='ram://remote/run') == 0
    assert launch(tmp_path, 'evaluate', model_dir='ram://remote/best') == 0
    with tf.io.gfile.GFile('ram://remote/run/eval/metrics.json') as file:
        assert json.loads(file.read())['global_step'] == 8
