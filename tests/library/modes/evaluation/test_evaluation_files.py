"""What `evaluate` leaves behind, and what it asks of a model, on a trained run."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import run
from library.errors import ConfigError, GateError, Stopped
from library.extras import Extra, Extras
from library.modes.evaluation import plots
from library.modes.evaluation.confusion_summary import TAG
from project.models.hub import HubModel

FILES = ('per_class.csv', 'confusion_matrix.csv', 'mistakes.csv', 'metrics.json')
PNGS = ('confusion_matrix.png', 'calibration.png')
# What other programs rely on, in this order.
FIRST = ['accuracy', 'loss', 'average_loss', 'examples', 'global_step', 'checkpoint', 'split']
ADDED = ['auc', 'macro_precision', 'macro_recall', 'macro_f1', 'calibration_error']


@pytest.fixture(scope='module')
def data(data_dir, tmp_path_factory):
    """A copy of the data set that keeps features."""
    folder = tmp_path_factory.mktemp('features') / 'data'
    for split in ('train', 'test'):
        shutil.copytree(data_dir / split, folder / split)
    return folder


@pytest.fixture(scope='module')
def run_folder(launch, data, tmp_path_factory):
    """A run that is half trained, so that it makes mistakes."""
    folder = tmp_path_factory.mktemp('run')
    flags = {'train_epochs': 2, 'learning_rate': 0.001, 'no_augmentation': None}
    assert launch(folder, data_dir=data, summary_confusion=None, **flags) == 0
    return folder


@pytest.fixture(scope='module')
def evaluate(launch, run_folder):
    """Evaluates under a name; gives the folder."""

    def call(name, **flags):
        flags = {'validation_name': name, **flags}
        assert launch(run_folder, 'evaluate', **flags) == 0
        return run_folder / 'checkpoints' / f'eval_{name}'

    return call


@pytest.fixture(scope='module')
def evaluated(evaluate):
    return evaluate('whole', eval_batch_size=4)


def metrics_in(folder):
    return json.loads((folder / 'metrics.json').read_text())


def rows_in(folder, name):
    with (folder / name).open(newline='') as file:
        return list(csv.reader(file))


def images_in(folder):
    """(step, PNG) of the confusion matrices that TensorBoard finds."""
    with tf.Graph().as_default():
        tf.compat.v1.summary.FileWriterCache.get(str(folder)).flush()
    read = EventAccumulator(str(folder), size_guidance={'images': 0})
    read.Reload()
    if TAG not in read.Tags()['images']:
        return []
    return [(each.step, each.encoded_image_string) for each in read.Images(TAG)]


def test_new_metrics_come_after_those_that_others_rely_on(evaluated):
    assert list(metrics_in(evaluated)) == FIRST + ADDED


def test_all_files_tell_of_the_same_images(evaluated):
    metrics = metrics_in(evaluated)
    header, *rows = rows_in(evaluated, 'confusion_matrix.csv')
    assert header == ['true', 'blue', 'green', 'red']
    counts = np.array([[int(cell) for cell in row[1:]] for row in rows])
    assert counts.sum() == metrics['examples'] == 15
    assert np.trace(counts) / 15 == pytest.approx(metrics['accuracy'])
    per_class = rows_in(evaluated, 'per_class.csv')[1:]
    assert [row[0] for row in per_class] == header[1:]
    assert [int(row[1]) for row in per_class] == counts.sum(axis=1).tolist() == [5, 5, 5]
    mistakes = rows_in(evaluated, 'mistakes.csv')[1:]
    assert len(mistakes) == 15 - np.trace(counts) > 0
    for number, file, true, predicted, probability, true_probability in mistakes:
        assert 0 <= int(number) < 15
        # The stored name leads to the image, which lies in the folder of its class.
        assert file.split('/')[-2] == true != predicted
        assert float(probability) >= float(true_probability)
    sure = [float(row[4]) for row in mistakes]
    assert sure == sorted(sure, reverse=True)


def test_plots_are_there_and_tensorboard_has_the_matrix_at_the_checkpoints_step(evaluated):
    for name in PNGS:
        assert (evaluated / name).read_bytes().startswith(b'\x89PNG')
    (found,) = images_in(evaluated)
    step = metrics_in(evaluated)['global_step']
    assert found == (step, (evaluated / 'confusion_matrix.png').read_bytes())


def test_the_size_of_a_batch_changes_no_file(evaluate, evaluated):
    other = evaluate('parts', eval_batch_size=15)
    for name in FILES[:3]:
        assert (other / name).read_bytes() == (evaluated / name).read_bytes()


def test_features_and_images_give_the_same(evaluate, evaluated, capsys):
    other = evaluate('features', cache_features=None)
    assert 'features instead of images' in capsys.readouterr().out
    for name in FILES[:2]:
        assert (other / name).read_bytes() == (evaluated / name).read_bytes()
    assert metrics_in(other)['auc'] == pytest.approx(metrics_in(evaluated)['auc'])


def test_the_screen_shows_classes_and_where_the_files_are(evaluate, capsys):
    folder = evaluate('shown', top_k=2)
    out = capsys.readouterr().out
    assert f'top_2_accuracy     {metrics_in(folder)["top_2_accuracy"]:.4f}\n' in out
    assert re.search(r'^class +images +precision +recall +f1 +auc\nblue +5 ', out, re.MULTILINE)
    assert f'written to {folder / "metrics.json"}; ' in out


def added(hparams, evaluation, plots):
    """What an extra of this test adds: a file, or none with --top_k 1."""
    told = f'{evaluation.metrics["examples"]} images, {len(plots.confusion) > 0}'
    return {'added.txt': None if hparams.top_k == 1 else told.encode()}


@pytest.fixture
def extra(monkeypatch):
    """A clone whose only extra adds a file to evaluations."""
    extras = Extras((Extra('adding', code={'evaluation_files': f'{__name__}:added'}),))
    monkeypatch.setattr(run, 'PROJECT', dataclasses.replace(run.PROJECT, extras=extras))


def test_an_extra_adds_a_file_that_the_last_line_names(evaluate, extra, capsys):
    folder = evaluate('with_extra')
    assert (folder / 'added.txt').read_text() == '15 images, True'
    assert capsys.readouterr().out.endswith(f'\nadded: {folder / "added.txt"}\n')


def test_a_file_that_is_not_wanted_leaves_none_of_another_checkpoint(evaluate, extra, capsys):
    folder = evaluate('old')
    assert (folder / 'added.txt').exists()
    capsys.readouterr()
    evaluate('old', validation_checkpoint=4, top_k=1)
    assert not (folder / 'added.txt').exists()
    assert 'added' not in capsys.readouterr().out


def test_without_extras_an_evaluation_has_the_files_of_its_own(evaluate, monkeypatch):
    monkeypatch.setattr(run, 'PROJECT', dataclasses.replace(run.PROJECT, extras=Extras()))
    names = {path.name for path in evaluate('alone').iterdir() if 'tfevents' not in path.name}
    assert names == {
        *('metrics.json', 'mistakes.csv', 'per_class.csv'),
        *('confusion_matrix.csv', 'confusion_matrix.png', 'calibration.png'),
    }


def test_metrics_are_written_when_all_else_is_there(
    launch, run_folder, evaluate, extra, monkeypatch
):
    folder = evaluate('last')
    before = (folder / 'metrics.json').read_bytes()

    def stop(png, eval_dir, step):
        assert (folder / 'added.txt').exists()
        raise KeyboardInterrupt

    monkeypatch.setattr('library.modes.evaluate.summarize_confusion', stop)
    with pytest.raises(KeyboardInterrupt):
        launch(run_folder, 'evaluate', validation_name='last', validation_checkpoint=4)
    assert (folder / 'metrics.json').read_bytes() == before


def test_both_plots_are_drawn_once(launch, run_folder, monkeypatch):
    drawn = []

    def counted(name, draw):
        return lambda what: drawn.append(name) or draw(what)

    for name in ('draw_confusion', 'draw_calibration'):
        monkeypatch.setattr(plots, name, counted(name, getattr(plots, name)))
    assert launch(run_folder, 'evaluate', validation_name='once') == 0
    assert sorted(drawn) == ['draw_calibration', 'draw_confusion']


def test_a_gate_that_is_not_met_ends_after_all_is_written(launch, run_folder):
    flags = {'fail_below': 'examples=15,examples=16', 'fail_above': 'accuracy=-1'}
    with pytest.raises(GateError, match=r'^not good enough: examples 15 is below 16; acc') as error:
        launch(run_folder, 'evaluate', validation_name='gate', **flags)
    assert error.value.exit_code == 7
    folder = run_folder / 'checkpoints' / 'eval_gate'
    assert all((folder / name).exists() for name in (*FILES, *PNGS))


def test_a_gate_that_is_met_changes_nothing(evaluate):
    folder = evaluate('met', fail_below='examples=15', fail_above='calibration_error=1')
    assert metrics_in(folder)['examples'] == 15


def test_a_limit_for_a_metric_that_there_is_not_is_reported_with_the_nearest(launch, run_folder):
    with pytest.raises(ConfigError, match=r"--fail_below: no metric 'acuracy'.*accuracy"):
        launch(run_folder, 'evaluate', validation_name='g', fail_below='acuracy=1')


@pytest.mark.parametrize('flag', ['fail_below', 'fail_above'])
def test_a_limit_in_another_form_is_reported_before_anything_is_done(launch, run_folder, flag):
    with pytest.raises(ConfigError, match=f"^--{flag}: 'accuracy' is not METRIC=NUMBER"):
        launch(run_folder, 'evaluate', validation_name='never', **{flag: 'accuracy'})
    assert not (run_folder / 'checkpoints' / 'eval_never').exists()


def test_own_metrics_stay_and_keep_their_names(evaluate, monkeypatch):
    def metric_ops(self, labels, predictions):
        mean = tf.compat.v1.metrics.mean
        numbers = {'own': 0.5, 'auc': 0.25, 'broken': float('nan')}
        return {name: mean(tf.constant(value)) for name, value in numbers.items()}

    monkeypatch.setattr(HubModel, 'metric_ops', metric_ops)
    metrics = metrics_in(evaluate('own'))
    assert (metrics['own'], metrics['auc'], metrics['broken']) == (0.5, 0.25, None)
    assert list(metrics)[-4:] == ADDED[1:]


@pytest.mark.parametrize('error', [KeyboardInterrupt(), Stopped(15, 'stopped')])
def test_an_evaluation_that_is_stopped_leaves_the_files_of_the_one_before(
    launch, run_folder, evaluate, monkeypatch, error
):
    folder = evaluate('kept')
    before = {name: (folder / name).read_bytes() for name in (*FILES, *PNGS)}

    def stop(bins):
        raise error

    monkeypatch.setattr(plots, 'draw_calibration', stop)
    with pytest.raises(type(error)):
        launch(run_folder, 'evaluate', validation_name='kept', validation_checkpoint=4)
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_training_draws_each_evaluation_where_it_is_asked(run_folder):
    found = images_in(run_folder / 'checkpoints' / 'eval')
    assert [step for step, _ in found] == [4, 8]
    assert all(png.startswith(b'\x89PNG') for _, png in found)


def test_training_draws_nothing_unasked(launch, data, tmp_path):
    assert launch(tmp_path, data_dir=data, train_epochs=1, no_augmentation=None) == 0
    assert images_in(tmp_path / 'checkpoints' / 'eval') == []
