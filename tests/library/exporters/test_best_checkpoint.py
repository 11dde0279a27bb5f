"""The best checkpoints: what is kept, and what nothing may replace."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from library import files
from library.config.command_line import parse
from library.config.hparams import resolve
from library.errors import ConfigError
from library.exporters.best_checkpoint import BestCheckpointExporter, prefers_low
from library.exporters.options import BestOptions
from library.runs.metadata import Run
from project.options import CATALOG


@pytest.fixture
def hparams():
    return resolve(CATALOG, parse([], CATALOG))


@pytest.fixture(scope='module')
def save(tmp_path_factory):
    """Writes a checkpoint of a step into a folder; its one weight is the step."""
    made = tmp_path_factory.mktemp('checkpoints')

    @functools.cache
    def make(step):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            weight = tf.compat.v1.get_variable('weight', initializer=float(step))
            session.run(weight.initializer)
            saver = tf.compat.v1.train.Saver()
            saver.save(session, str(made / f'model.ckpt-{step}'), write_meta_graph=True)
        return list(made.glob(f'model.ckpt-{step}.*'))

    def call(step, folder):
        folder.mkdir(exist_ok=True)
        for path in make(step):
            shutil.copy(path, folder)

    return call


@pytest.fixture
def run(tmp_path, hparams, save):
    """Exports an evaluation of a fresh exporter, as a restart would."""

    def export(step, run_id='one', keep=1, metric='average_loss', mode='auto', **metrics):
        source = tmp_path / 'run' / f'model.ckpt-{step}'
        save(step, source.parent)
        options = BestOptions(str(tmp_path / 'best'), metric, mode, keep)
        return BestCheckpointExporter(
            options, hparams, Run().found('this test', run_id=run_id)
        ).export(
            estimator=None,
            export_path='',
            checkpoint_path=str(source),
            eval_result={'global_step': np.int64(step), **metrics},
            is_the_final_export=False,
        )

    return export


def kept(tmp_path):
    return sorted(
        int(name.split('-')[1].split('.')[0])
        for name in os.listdir(tmp_path / 'best')
        if name.endswith('.index')
    )


def best_value(tmp_path):
    return tf.train.load_variable(tf.train.latest_checkpoint(str(tmp_path / 'best')), 'weight')


def test_a_better_checkpoint_replaces_the_best(run, tmp_path):
    run(1, average_loss=0.9)
    assert run(2, average_loss=0.5) == str(tmp_path / 'best' / 'model.ckpt-2')
    assert kept(tmp_path) == [2]
    assert best_value(tmp_path) == 2.0


def test_a_worse_one_after_a_restart_does_not(run, tmp_path):
    run(1, average_loss=0.5)
    assert run(2, average_loss=0.9) is None
    assert kept(tmp_path) == [1]


def test_of_equals_the_older_one_stays(run, tmp_path):
    run(1, average_loss=0.5)
    assert run(2, average_loss=0.5) is None
    assert kept(tmp_path) == [1]


@pytest.mark.parametrize('value', [float('nan'), float('inf'), float('-inf')])
def test_what_is_not_a_finite_number_never_wins(run, tmp_path, value, capsys):
    assert run(1, average_loss=value) is None
    assert 'which is never the best' in capsys.readouterr().out
    run(2, average_loss=0.5)
    assert run(3, average_loss=value) is None
    assert kept(tmp_path) == [2]


def test_several_are_kept_and_the_best_is_the_latest_of_the_folder(run, tmp_path):
    for step, loss in enumerate((0.9, 0.3, 0.7, 0.5), start=1):
        run(step, keep=3, average_loss=loss)
    assert kept(tmp_path) == [2, 3, 4]
    assert best_value(tmp_path) == 2.0
    state = tf.train.get_checkpoint_state(str(tmp_path / 'best'))
    names = [os.path.basename(path) for path in state.all_model_checkpoint_paths]
    assert names == ['model.ckpt-3', 'model.ckpt-4', 'model.ckpt-2']


def test_more_is_better_for_accuracy(run, tmp_path):
    run(1, metric='accuracy', accuracy=0.5)
    run(2, metric='accuracy', accuracy=0.9)
    run(3, metric='accuracy', accuracy=0.7)
    assert kept(tmp_path) == [2]


@pytest.mark.parametrize(
    ('metric', 'mode', 'low'),
    [
        ('average_loss', 'auto', True),
        ('error_rate', 'auto', True),
        ('accuracy', 'auto', False),
        ('accuracy', 'min', True),
        ('average_loss', 'max', False),
    ],
)
def test_the_direction_follows_the_name_unless_it_is_given(metric, mode, low):
    assert prefers_low(metric, mode) == low


def test_an_unknown_metric_is_named_with_the_nearest(run):
    with pytest.raises(ConfigError, match="no metric 'acuracy'; did you mean 'accuracy'") as error:
        run(1, metric='acuracy', accuracy=0.5, average_loss=0.1)
    assert error.value.exit_code == 2


def test_another_run_moves_the_snapshots_of_others_aside_and_says_so(run, tmp_path, capsys):
    run(1, average_loss=0.1)
    (tmp_path / 'best' / 'notes.txt').write_text('mine')
    run(2, run_id='two', average_loss=0.9)
    assert kept(tmp_path) == [2]
    aside = tmp_path / 'best' / 'previous-1'
    assert tf.train.load_variable(str(aside / 'model.ckpt-1'), 'weight') == 1.0
    assert json.loads((aside / 'best.json').read_text())['run_id'] == 'one'
    assert (aside / 'hparams.yaml').exists()
    assert (aside / 'hparams.json').exists()
    assert (tmp_path / 'best' / 'notes.txt').read_text() == 'mine'
    assert f'moved to {aside}' in capsys.readouterr().out
    run(3, run_id='three', average_loss=0.9)
    assert (tmp_path / 'best' / 'previous-2' / 'model.ckpt-2.index').exists()


def test_a_run_that_comes_back_gets_its_best_back(run, tmp_path, capsys):
    run(1, average_loss=0.1)
    run(2, run_id='two', average_loss=0.5)
    assert run(3, average_loss=0.9) is None
    assert kept(tmp_path) == [1]
    assert best_value(tmp_path) == 1.0
    assert 'moved the best checkpoints of this run back from' in capsys.readouterr().out
    assert run(4, run_id='two', average_loss=0.7) is None
    assert kept(tmp_path) == [2]


def test_another_metric_starts_anew(run, tmp_path):
    run(1, average_loss=0.1, accuracy=0.5)
    run(2, metric='accuracy', average_loss=0.9, accuracy=0.4)
    assert kept(tmp_path) == [2]
    assert (tmp_path / 'best' / 'previous-1' / 'model.ckpt-1.index').exists()


def test_checkpoints_of_unknown_origin_are_moved_aside_too(run, tmp_path):
    (tmp_path / 'best').mkdir()
    (tmp_path / 'best' / 'model.ckpt-7.index').write_text('?')
    (tmp_path / 'best' / 'best.json').write_text('{damaged')
    run(1, average_loss=0.1)
    assert kept(tmp_path) == [1]
    assert (tmp_path / 'best' / 'previous-1' / 'model.ckpt-7.index').exists()


def test_the_values_of_the_run_lie_beside_the_snapshots(run, tmp_path):
    run(1, average_loss=0.1)
    assert 'learning_rate: 0.0001' in (tmp_path / 'best' / 'hparams.yaml').read_text()


def test_a_worse_value_of_the_same_step_does_not_replace_the_better_one(run, tmp_path):
    run(1, average_loss=0.5)
    run(2, average_loss=0.3)
    assert run(2, average_loss=0.9) is None
    assert json.loads((tmp_path / 'best' / 'best.json').read_text())['snapshots'][0]['value'] == 0.3


def test_a_better_value_of_the_same_step_does_not_write_over_the_old_files(run, tmp_path):
    run(2, average_loss=0.5)
    assert run(2, average_loss=0.3) == str(tmp_path / 'best' / 'model.ckpt-again-2')
    assert run(2, average_loss=0.1) == str(tmp_path / 'best' / 'model.ckpt-2')
    assert [p.name for p in (tmp_path / 'best').glob('*.index')] == ['model.ckpt-2.index']


@pytest.mark.parametrize('snapshots', ['null', '[{"a": 1}]', '7', '{}'])
def test_a_state_of_another_shape_counts_as_none(run, tmp_path, snapshots):
    run(1, average_loss=0.1)
    path = tmp_path / 'best' / 'best.json'
    state = json.loads(path.read_text())
    path.write_text(json.dumps({**state, 'snapshots': json.loads(snapshots)}))
    run(2, average_loss=0.9)
    assert kept(tmp_path) == [2]


def test_a_best_whose_files_were_deleted_is_replaced(run, tmp_path):
    run(1, average_loss=0.1)
    for path in (tmp_path / 'best').glob('model.ckpt-1.*'):
        path.unlink()
    run(2, average_loss=0.9)
    assert kept(tmp_path) == [2]
    assert best_value(tmp_path) == 2.0


def test_the_same_evaluation_twice_is_kept_once(run, tmp_path):
    run(1, keep=2, average_loss=0.5)
    run(1, keep=2, average_loss=0.5)
    state = json.loads((tmp_path / 'best' / 'best.json').read_text())
    assert [each['global_step'] for each in state['snapshots']] == [1]


@pytest.mark.parametrize('moment', range(18))
def test_a_kill_while_a_run_takes_its_folder_back_loses_neither_runs_best(
    run, tmp_path, monkeypatch, moment
):
    run(1, average_loss=0.1)
    run(2, run_id='two', average_loss=0.5)
    count = 0

    def dying(*args, replace=files.replace):
        nonlocal count
        count += 1
        if count > moment:
            raise KeyboardInterrupt
        return replace(*args)

    with monkeypatch.context() as patched, contextlib.suppress(KeyboardInterrupt):
        patched.setattr(files, 'replace', dying)
        run(3, average_loss=0.9)
    run(3, average_loss=0.9)
    assert kept(tmp_path) == [1]
    assert best_value(tmp_path) == 1.0
    run(4, run_id='two', average_loss=0.7)
    assert kept(tmp_path) == [2]
    assert best_value(tmp_path) == 2.0


@pytest.mark.parametrize('moment', range(12))
def test_a_kill_at_any_write_leaves_the_old_best_or_the_new_one(run, tmp_path, monkeypatch, moment):
    """Each write and rename is once the last; a rerun then ends as if nothing had happened."""
    run(1, average_loss=0.9)
    count = 0

    def dying(call):
        def wrapped(*args, **options):
            nonlocal count
            count += 1
            if count > moment:
                raise KeyboardInterrupt
            return call(*args, **options)

        return wrapped

    with monkeypatch.context() as patched:
        for name in ('replace', 'remove'):
            patched.setattr(files, name, dying(getattr(files, name)))
        try:
            run(2, average_loss=0.5)
        except KeyboardInterrupt:
            assert best_value(tmp_path) in (1.0, 2.0)
    run(2, average_loss=0.5)
    assert kept(tmp_path) == [2]
    assert best_value(tmp_path) == 2.0
    assert not list((tmp_path / 'best').glob('*.partial'))
