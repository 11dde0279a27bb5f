"""How long a run trains, when it looks, and when it ends early."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial

import pytest
import tensorflow as tf

from library.errors import ConfigError
from library.exporters.evaluation_log import read_history
from tests.conftest import ROOT

SIMPLE = {'model': 'simple', 'image_size': 16}


@pytest.fixture
def train(launch):
    """Trains the small model, which is sooner built than a module is loaded."""
    return partial(launch, **SIMPLE)


def evaluated(folder):
    return [each['global_step'] for each in read_history(str(folder / 'checkpoints'))]


def kept(folder):
    state = tf.train.get_checkpoint_state(str(folder / 'checkpoints'))
    return [int(path.rsplit('-', 1)[1]) for path in state.all_model_checkpoint_paths]


# 24 images in batches of 6: an epoch is 4 steps.


def test_train_steps_overrides_the_epochs(train, tmp_path):
    assert train(tmp_path, train_epochs=9, train_steps=6) == 0
    assert evaluated(tmp_path) == [4, 6]


def test_max_train_steps_caps_both(train, tmp_path):
    assert train(tmp_path / 'steps', train_steps=9, max_train_steps=3) == 0
    assert train(tmp_path / 'epochs', train_epochs=9, max_train_steps=5) == 0
    assert kept(tmp_path / 'steps')[-1] == 3
    assert kept(tmp_path / 'epochs')[-1] == 5


def test_checkpoints_by_steps_override_the_epochs_between_evaluations(train, tmp_path):
    assert train(tmp_path, save_checkpoints_steps=3) == 0
    assert evaluated(tmp_path) == [3, 6, 8]
    assert kept(tmp_path) == [0, 3, 6, 8]


def test_checkpoints_by_seconds_come_when_the_time_is_over(train, tmp_path, monkeypatch):
    clock = iter(range(1000))  # a second passes with every look
    monkeypatch.setattr('library.checkpoints.saver.time.monotonic', lambda: next(clock))
    assert train(tmp_path, save_checkpoints_secs=3) == 0
    assert len(evaluated(tmp_path)) >= 3


def test_evaluations_keep_the_time_between_them(train, tmp_path):
    assert train(tmp_path, eval_throttle_secs=1000) == 0
    # The first needs no waiting, and the last is always made.
    assert evaluated(tmp_path) == [4, 8]
    assert train(tmp_path, train_epochs=5, eval_throttle_secs=1000) == 0
    assert evaluated(tmp_path) == [4, 8, 12, 20]
    assert 16 in kept(tmp_path)


def test_a_kill_before_an_evaluation_is_made_up_for_with_checkpoints_by_time(
    train, trained_copy, tmp_path
):
    trained_copy(tmp_path, train_epochs=1, **SIMPLE)
    (tmp_path / 'checkpoints' / 'eval' / 'history.jsonl').unlink()
    assert train(tmp_path, train_epochs=2, save_checkpoints_secs=1000) == 0
    assert evaluated(tmp_path) == [4, 8]


def test_eval_freq_bounds_the_batches_of_an_evaluation(train, tmp_path):
    assert train(tmp_path, train_epochs=1, eval_freq=2, eval_batch_size=4) == 0
    (line,) = read_history(str(tmp_path / 'checkpoints'))
    assert line['examples'] == 8


def test_a_run_that_reached_its_threshold_stops_and_stays_stopped(train, tmp_path, capsys):
    flags = {'stop_threshold': 0.1, 'train_epochs': 5}
    assert train(tmp_path, **flags) == 0
    assert evaluated(tmp_path) == [4]
    assert kept(tmp_path)[-1] == 4
    assert 'stopping early: step 4: accuracy' in capsys.readouterr().out
    assert train(tmp_path, **flags) == 0
    out = capsys.readouterr().out
    assert 'stopped early: step 4: accuracy' in out
    assert 'best: step 4' in out
    assert evaluated(tmp_path) == [4]


def test_patience_counts_over_a_restart(train, tmp_path, capsys):
    # No gain is ever so large.
    flags = {'early_stopping_patience': 3, 'early_stopping_min_delta': 1000}
    assert train(tmp_path, train_epochs=2, **flags) == 0
    assert train(tmp_path, train_epochs=9, **flags) == 0
    assert evaluated(tmp_path) == [4, 8, 12, 16]
    assert 'average_loss has not improved since' in capsys.readouterr().out
    assert train(tmp_path, train_epochs=5, early_stopping_patience=9) == 0
    assert evaluated(tmp_path)[-1] == 20


@pytest.mark.parametrize('flag', ['stop_metric', 'early_stopping_metric'])
def test_a_metric_of_a_rule_that_there_is_not_is_reported_before_training(train, tmp_path, flag):
    rules = {'stop_threshold': 1, 'early_stopping_patience': 1}
    with pytest.raises(ConfigError, match=f"--{flag}: no metric 'acuracy'; did you mean 'accur"):
        train(tmp_path, **rules, **{flag: 'acuracy'})
    assert not (tmp_path / 'checkpoints' / 'checkpoint').exists()


def test_clean_keeps_a_run_that_the_next_one_could_not_replace(train, trained_copy, tmp_path):
    trained_copy(tmp_path, train_epochs=1, **SIMPLE)
    with pytest.raises(ConfigError, match='--trainable_scopes haed: the model trains no variables'):
        train(tmp_path, clean=None, trainable_scopes='haed')
    assert kept(tmp_path) == [0, 4]


def test_clean_starts_anew_in_the_same_folder(train, trained_copy, tmp_path):
    trained_copy(tmp_path, **SIMPLE)
    events = set((tmp_path / 'checkpoints').glob('events.*'))
    assert train(tmp_path, train_epochs=1, clean=None) == 0
    assert evaluated(tmp_path) == [4]
    assert kept(tmp_path)[-1] == 4
    assert not events & set((tmp_path / 'checkpoints').glob('events.*'))
    # The best of the run that is gone is not the best of this one.
    assert (tmp_path / 'best' / 'previous-1' / 'best.json').exists()


def test_time_stamped_runs_stand_beside_each_other(train, launch, tmp_path):
    base = tmp_path / 'checkpoints'
    assert train(tmp_path, time_stamped=None, train_epochs=1) == 0
    first = (base / 'latest').resolve()
    assert train(tmp_path, time_stamped=None, train_epochs=1) == 0
    second = (base / 'latest').resolve()
    assert first != second
    assert sorted(p.name for p in base.iterdir()) == sorted([first.name, second.name, 'latest'])
    assert (second / 'best' / 'best.json').exists()
    assert launch(tmp_path, 'evaluate', model_dir=base / 'latest') == 0
    assert json.loads((second / 'eval' / 'metrics.json').read_text())['global_step'] == 4
    # The link is a run's folder: it is gone on with, and not put into a folder of its own.
    assert train(tmp_path, model_dir=base / 'latest', time_stamped=None, train_epochs=2) == 0
    assert (second / 'model.ckpt-8.index').exists()
    best = json.loads((second / 'best' / 'best.json').read_text())
    assert best['snapshots'][0]['global_step'] == 8


@pytest.mark.process
def test_deterministic_runs_ask_tensorflow_for_it_and_are_alike(data_dir, module_dir, tmp_path):
    words = ['--data_dir', data_dir, '--module', module_dir, '--train_epochs', 1, '--deterministic']
    program = (
        'import sys, run, tensorflow as tf\n'
        'from tensorflow.python.framework import config\n'
        'code = run.main(sys.argv[1:])\n'
        'assert config.is_op_determinism_enabled()\n'
        'sys.exit(code)\n'
    )
    values = []
    for name in ('one', 'two'):
        folders = ['--model_dir', tmp_path / name, '--best_model_dir', tmp_path / f'{name}-best']
        done = subprocess.run(
            [sys.executable, '-c', program, *map(str, [*words, *folders, '--fine_tuning'])],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == 0, done.stderr
        checkpoint = tf.train.latest_checkpoint(str(tmp_path / name))
        values.append(tf.train.load_checkpoint(checkpoint).get_tensor('head/logits/kernel'))
    assert (values[0] == values[1]).all()
