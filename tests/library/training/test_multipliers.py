"""A learning rate for each part of a model."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from library.training.multipliers import with_multipliers

train = tf.compat.v1.train
OPTIMIZERS = [train.GradientDescentOptimizer, train.AdamOptimizer]


def variables():
    names = ('head/kernel', 'module/kernel', 'module/last/kernel', 'modules')
    return [tf.Variable(1.0, name=name) for name in names]


def built(make, multipliers, rate=0.1):
    """The variables, and an operation that makes one step with the gradients 1, 2, 3 and 4."""
    trained = variables()
    optimizer = with_multipliers(make, tf.constant(rate), multipliers)
    loss = tf.add_n([value * (index + 1) for index, value in enumerate(trained)])
    gradients = optimizer.compute_gradients(loss, trained)
    step = tf.compat.v1.train.get_or_create_global_step()
    return trained, optimizer, optimizer.apply_gradients(gradients, global_step=step)


def moved(make, multipliers):
    """How far each variable moves in the first step."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        trained, _, step = built(make, multipliers)
        session.run(tf.compat.v1.global_variables_initializer())
        session.run(step)
        assert session.run(tf.compat.v1.train.get_global_step()) == 1
        return 1 - np.array(session.run(trained))


def global_names(make, multipliers):
    with tf.Graph().as_default():
        built(make, multipliers)
        return [variable.op.name for variable in tf.compat.v1.global_variables()]


@pytest.mark.parametrize('make', OPTIMIZERS)
def test_a_scope_moves_by_its_multiple_of_the_rate(make):
    ratio = moved(make, {'module/': 0.25}) / moved(make, {'module/': 1.0})
    np.testing.assert_allclose(ratio, [1, 0.25, 0.25, 1], rtol=1e-4)


def test_of_scopes_within_each_other_the_longest_counts():
    found = moved(train.GradientDescentOptimizer, {'module/last/': 2.0, 'module/': 0.5})
    np.testing.assert_allclose(found, [0.1, 0.1, 0.6, 0.4], rtol=1e-5)


@pytest.mark.parametrize('make', OPTIMIZERS)
def test_a_multiplier_of_one_changes_no_step(make):
    np.testing.assert_allclose(moved(make, {'module/': 1.0}), moved(make, {}), rtol=1e-6)


def test_without_multipliers_it_is_the_optimizer_itself():
    optimizer = with_multipliers(train.AdamOptimizer, tf.constant(0.1), {})
    assert type(optimizer) is train.AdamOptimizer


def test_names_in_checkpoints_do_not_depend_on_the_multipliers():
    names = global_names(train.AdamOptimizer, {'module/': 0.5})
    assert names == global_names(train.AdamOptimizer, {'module/': 1.0})
    powers = [name for name in names if name.endswith('beta1_power')]
    assert powers == ['beta1_power', 'module/beta1_power']
    assert {'head/kernel/Adam', 'module/kernel/Adam_1', 'modules/Adam'} <= set(names)


def test_a_scope_keeps_its_names_where_nothing_else_is_trained():
    with tf.Graph().as_default(), tf.name_scope('anywhere'):
        optimizer = with_multipliers(train.AdamOptimizer, tf.constant(0.1), {'module/': 0.5})
        weight = tf.compat.v1.get_variable('module/kernel', initializer=1.0)
        optimizer.minimize(weight * 2, var_list=[weight])
        names = [variable.op.name for variable in optimizer.variables()]
    assert sorted(names) == [
        'module/beta1_power',
        'module/beta2_power',
        'module/kernel/Adam',
        'module/kernel/Adam_1',
    ]


def test_a_resumed_run_may_have_another_multiplier(tmp_path):
    for multiplier, expected in ((0.5, 1 - 0.1), (0.25, 1 - 0.1 - 0.05)):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            trained, _, step = built(train.GradientDescentOptimizer, {'module/': multiplier})
            saver = train.Saver()
            if newest := tf.train.latest_checkpoint(str(tmp_path)):
                saver.restore(session, newest)
            else:
                session.run(tf.compat.v1.global_variables_initializer())
            session.run(step)
            assert session.run(trained[1]) == pytest.approx(expected)
            saver.save(session, str(tmp_path / 'model.ckpt'))


def test_a_variable_without_a_gradient_stays():
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        trained = variables()
        optimizer = with_multipliers(
            train.GradientDescentOptimizer, tf.constant(0.1), {'module/': 0.5}
        )
        step = optimizer.minimize(trained[0] * 2, var_list=trained)
        session.run(tf.compat.v1.global_variables_initializer())
        session.run(step)
        np.testing.assert_allclose(session.run(trained), [0.8, 1, 1, 1])


def test_no_gradient_at_all_is_an_error():
    with tf.Graph().as_default():
        trained = variables()
        optimizer = with_multipliers(train.AdamOptimizer, tf.constant(0.1), {'module/': 0.5})
        with pytest.raises(ValueError, match='no variable has a gradient'):
            optimizer.apply_gradients([(None, each) for each in trained])
