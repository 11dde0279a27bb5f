"""Moving averages of the weights."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from library.checkpoints.fit import graph_variables
from library.training.moving_average import averaged_scaffold
from library.training.train_op import make_train_op

pytestmark = pytest.mark.train

train = tf.compat.v1.train
EPOCHS = 4  # of one step each, so that every step has its checkpoint
DECAY = 0.15


def by_hand(values, decay):
    """The average after the last step, of what a variable is after each step."""
    average = np.zeros_like(values[0])
    for step, value in enumerate(values):
        rate = min(decay, (1 + step) / (10 + step)) if step else 0.0
        average = rate * average + (1 - rate) * value
    return average


def averages(decay, steps):
    """The average of a weight that falls from 8 by 2 in each step, before and after each step."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        weight = tf.compat.v1.get_variable('kernel', initializer=8.0)
        optimizer = train.GradientDescentOptimizer(1.0)
        train_op = make_train_op(weight * 2, optimizer, [weight], moving_average_decay=decay)
        (average,) = [v for v in tf.compat.v1.global_variables() if v.op.name == 'ema/kernel']
        session.run(tf.compat.v1.global_variables_initializer())
        found = [session.run(average)]
        for _ in range(steps):
            session.run(train_op)
            found.append(session.run(average))
        return found


def test_an_average_starts_as_its_weight_and_forgets_that_in_the_first_step():
    assert averages(0.9, 1) == [8, 6]


def test_an_average_follows_its_weight():
    # 6; then towards 4 with min(0.15, 2 / 11); then towards 2 with min(0.15, 3 / 12).
    third = 0.15 * 4.3 + 0.85 * 2
    assert averages(0.15, 3) == pytest.approx([8, 6, 0.15 * 6 + 0.85 * 4, third])


def test_early_averages_forget_faster_than_the_decay():
    second = 2 / 11 * 6 + 9 / 11 * 4
    third = 3 / 12 * second + 9 / 12 * 2
    assert averages(0.9, 3) == pytest.approx([8, 6, second, third])


def test_pending_updates_come_before_the_average():
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        weight = tf.compat.v1.get_variable('kernel', initializer=3.0)
        mean = tf.compat.v1.get_variable('mean', initializer=0.0, trainable=False)
        tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.UPDATE_OPS, mean.assign_add(7.0))
        optimizer = train.GradientDescentOptimizer(1.0)
        train_op = make_train_op(weight * 2, optimizer, [weight], moving_average_decay=DECAY)
        names = {variable.op.name: variable for variable in tf.compat.v1.global_variables()}
        session.run(tf.compat.v1.global_variables_initializer())
        session.run(train_op)
        assert session.run(names['ema/mean']) == 7
        session.run(train_op)
        assert session.run(names['ema/mean']) == pytest.approx(0.15 * 7 + 0.85 * 14)


def test_neither_counters_nor_the_optimizers_own_variables_have_an_average():
    with tf.Graph().as_default():
        weight = tf.compat.v1.get_variable('kernel', initializer=3.0)
        tf.compat.v1.get_variable('seen', initializer=0, trainable=False)
        train_op = make_train_op(
            weight * 2, train.AdamOptimizer(), [weight], moving_average_decay=DECAY
        )
        names = [variable.op.name for variable in tf.compat.v1.global_variables()]
    assert train_op.type == 'NoOp'
    assert [name for name in names if name.startswith('ema/')] == ['ema/kernel']
    assert 'kernel/Adam' in names


def test_a_variable_that_stays_keeps_an_average_that_is_exactly_it():
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        weight = tf.compat.v1.get_variable('kernel', initializer=3.0)
        frozen = tf.compat.v1.get_variable('frozen', initializer=tf.random.normal([100]))
        optimizer = train.GradientDescentOptimizer(1.0)
        train_op = make_train_op(weight * 2, optimizer, [weight], moving_average_decay=0.9)
        names = {variable.op.name: variable for variable in tf.compat.v1.global_variables()}
        session.run(tf.compat.v1.global_variables_initializer())
        for _ in range(3):
            session.run(train_op)
        np.testing.assert_array_equal(*session.run([frozen, names['ema/frozen']]))


def test_without_a_decay_there_is_no_scaffold():
    assert averaged_scaffold(0.0) is None


def test_a_scaffold_restores_averages_in_place_of_weights(tmp_path):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        weight = tf.compat.v1.get_variable('kernel', initializer=8.0)
        optimizer = train.GradientDescentOptimizer(1.0)
        train_op = make_train_op(weight * 2, optimizer, [weight], moving_average_decay=DECAY)
        session.run(tf.compat.v1.global_variables_initializer())
        session.run([train_op])
        session.run([train_op])
        checkpoint = train.Saver().save(session, str(tmp_path / 'model.ckpt'))
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        weight = tf.compat.v1.get_variable('kernel', [])
        step = train.get_or_create_global_step()
        scaffold = averaged_scaffold(DECAY)
        assert set(graph_variables()) == {'ema/kernel', 'global_step'}
        scaffold.saver.restore(session, checkpoint)
        assert session.run([weight, step]) == [pytest.approx(4.3), 2]


def variables_of(checkpoint):
    reader = tf.train.load_checkpoint(str(checkpoint))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def metrics_of(launch, folder, **flags):
    """What evaluate writes for the checkpoints in a folder."""
    assert launch(folder, 'evaluate', model_dir=folder, **flags) == 0
    return json.loads((folder / 'eval' / 'metrics.json').read_text())


@pytest.fixture(scope='module')
def flags():
    return {
        'fine_tuning': None,
        'moving_average_decay': 0.9,
        'train_batch_size': 24,
        'keep_checkpoint_max': 0,
        'learning_rate': 0.05,
    }


@pytest.fixture(scope='module')
def trained(launch, flags, tmp_path_factory):
    """A run that fine-tunes a module with batch norm."""
    folder = tmp_path_factory.mktemp('averaged')
    assert launch(folder, train_epochs=EPOCHS, **flags) == 0
    return folder


def test_a_fine_tuned_module_has_averages_of_all_its_variables_batch_norm_included(trained):
    steps = [variables_of(trained / 'checkpoints' / f'model.ckpt-{n + 1}') for n in range(EPOCHS)]
    names = {name.removeprefix('ema/') for name in steps[-1] if name.startswith('ema/')}
    assert any('moving_variance' in name for name in names)
    assert {'head/logits/kernel', 'head/logits/bias'} < names
    assert not any('Adam' in name or 'power' in name or 'step' in name for name in names)
    for name in names:
        expected = by_hand([variables[name] for variables in steps], 0.9)
        np.testing.assert_allclose(
            steps[-1][f'ema/{name}'], expected, rtol=1e-5, atol=1e-7, err_msg=name
        )


def test_an_average_of_step_0_is_the_initial_weight(trained):
    first = variables_of(trained / 'checkpoints' / 'model.ckpt-0')
    for name in [name for name in first if name.startswith('ema/')]:
        np.testing.assert_array_equal(first[name], first[name.removeprefix('ema/')], err_msg=name)


def test_evaluate_takes_the_averages(trained, launch, tmp_path):
    """The same metrics as from a checkpoint whose weights were overwritten by the averages."""
    checkpoints = trained / 'checkpoints'
    variables = variables_of(checkpoints / f'model.ckpt-{EPOCHS}')
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name in [name for name in variables if f'ema/{name}' in variables]:
            tf.Variable(variables[f'ema/{name}'], name=name)
        tf.Variable(variables['global_step'], name='global_step')
        session.run(tf.compat.v1.global_variables_initializer())
        train.Saver().save(session, str(tmp_path / 'model.ckpt'), EPOCHS)
    shutil.copy(checkpoints / 'hparams.yaml', tmp_path)
    averaged = metrics_of(launch, checkpoints)
    weights = metrics_of(launch, checkpoints, moving_average_decay=0)
    overwritten = metrics_of(launch, tmp_path, moving_average_decay=0)
    assert averaged['loss'] == pytest.approx(overwritten['loss'], rel=1e-6)
    assert averaged['loss'] != pytest.approx(weights['loss'], rel=1e-3)


def test_the_best_checkpoint_gives_the_metrics_that_it_was_kept_for(trained, launch):
    (best,) = json.loads((trained / 'best' / 'best.json').read_text())['snapshots']
    metrics = metrics_of(launch, trained / 'best')
    assert metrics['global_step'] == best['global_step']
    assert metrics['loss'] == pytest.approx(best['value'], rel=1e-6)


def test_a_resumed_run_has_the_same_averages_bit_for_bit(trained, launch, flags, tmp_path):
    assert launch(tmp_path, train_epochs=2, **flags) == 0
    assert launch(tmp_path, train_epochs=EPOCHS, **flags) == 0
    resumed = variables_of(tmp_path / 'checkpoints' / f'model.ckpt-{EPOCHS}')
    whole = variables_of(trained / 'checkpoints' / f'model.ckpt-{EPOCHS}')
    assert set(resumed) == set(whole)
    for name, value in whole.items():
        np.testing.assert_array_equal(resumed[name], value, err_msg=name)


def test_a_frozen_module_has_no_averages(launch, tmp_path):
    assert launch(tmp_path, moving_average_decay=0.9, train_epochs=1) == 0
    names = set(variables_of(tmp_path / 'checkpoints' / 'model.ckpt-4'))
    averaged = {name for name in names if name.startswith('ema/')}
    assert averaged == {'ema/head/logits/kernel', 'ema/head/logits/bias'}
    assert launch(tmp_path, 'evaluate') == 0


@pytest.mark.parametrize(
    ('before', 'now', 'message'),
    [
        (0, 0.9, 'it was trained without --moving_average_decay'),
        (0.9, 0, 'holds moving averages, which this run would drop'),
    ],
)
def test_a_resume_cannot_turn_averages_on_or_off(launch, tmp_path, before, now, message):
    from library.errors import MismatchError

    assert launch(tmp_path, moving_average_decay=before, train_epochs=1) == 0
    with pytest.raises(MismatchError, match=message) as error:
        launch(tmp_path, moving_average_decay=now, train_epochs=2)
    assert error.value.exit_code == 4
