"""One training step."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from library.training.train_op import make_train_op


def descent():
    return tf.compat.v1.train.GradientDescentOptimizer(1.0)


def test_a_step_changes_the_named_variables_alone_and_counts():
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        named, other = tf.Variable(3.0), tf.Variable(5.0)
        train_op = make_train_op(named * 2 + other, descent(), [named])
        session.run(tf.compat.v1.global_variables_initializer())
        session.run(train_op)
        assert session.run([named, other]) == [1.0, 5.0]
        assert session.run(tf.compat.v1.train.get_global_step()) == 1


def test_a_variable_named_twice_is_trained_once():
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        weight = tf.Variable(3.0)
        train_op = make_train_op(weight * 2, descent(), [weight, weight])
        session.run(tf.compat.v1.global_variables_initializer())
        session.run(train_op)
        assert session.run(weight) == 1.0


def test_pending_updates_run_with_the_step():
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        weight, average = tf.Variable(3.0), tf.Variable(0.0)
        update = average.assign(7.0)
        tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.UPDATE_OPS, update)
        train_op = make_train_op(weight * 2, descent(), [weight])
        session.run(tf.compat.v1.global_variables_initializer())
        session.run(train_op)
        assert session.run(average) == 7.0


def test_nothing_to_train_is_an_error():
    with tf.Graph().as_default(), pytest.raises(ValueError, match='named no variables to train'):
        make_train_op(tf.constant(1.0), descent(), [])


def step_of(gradients, clip_norm):
    """The variables, from 0, after one step of rate 1 along gradients; and the norm it tells."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        weights = [tf.Variable(np.zeros_like(each)) for each in gradients]
        loss = tf.add_n(
            [tf.reduce_sum(w * each) for w, each in zip(weights, gradients, strict=True)]
        )
        train_op = make_train_op(loss, descent(), weights, clip_norm=clip_norm)
        summaries = tf.compat.v1.summary.merge_all()
        session.run(tf.compat.v1.global_variables_initializer())
        session.run(train_op)
        values = session.run(weights)
        (told,) = tf.compat.v1.Summary.FromString(session.run(summaries)).value
        return values, (told.tag, told.simple_value)


def test_a_gradient_is_scaled_to_the_norm_of_all_variables_together():
    values, told = step_of([np.float32([3.0, 0.0]), np.float32(4.0)], clip_norm=1.0)
    np.testing.assert_allclose(values[0], [-0.6, 0], rtol=1e-6)
    assert values[1] == pytest.approx(-0.8)
    assert told == ('gradient_norm', 5.0)


def test_a_short_gradient_stays_as_it_is():
    values, told = step_of([np.float32([3.0, 0.0]), np.float32(4.0)], clip_norm=6.0)
    np.testing.assert_allclose(values[0], [-3, 0])
    assert values[1] == -4
    assert told == ('gradient_norm', 5.0)


def test_without_a_bound_the_norm_is_only_told():
    values, told = step_of([np.float32(30.0)], clip_norm=None)
    assert values == [-30]
    assert told == ('gradient_norm', 30.0)


def test_a_sparse_gradient_is_clipped_too():
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        table, scale = tf.Variable(tf.zeros([3, 1])), tf.Variable(0.0)
        loss = tf.reduce_sum(tf.gather(table, [1])) * 3 + scale * 4
        train_op = make_train_op(loss, descent(), [table, scale], clip_norm=1.0)
        session.run(tf.compat.v1.global_variables_initializer())
        session.run(train_op)
        np.testing.assert_allclose(session.run(table), [[0], [-0.6], [0]], rtol=1e-6)
        assert session.run(scale) == pytest.approx(-0.8)


def test_a_variable_that_the_loss_does_not_know_is_left_out_of_the_norm():
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        known, unknown = tf.Variable(0.0), tf.Variable(7.0)
        train_op = make_train_op(known * 5, descent(), [known, unknown], clip_norm=1.0)
        session.run(tf.compat.v1.global_variables_initializer())
        session.run(train_op)
        np.testing.assert_allclose(session.run([known, unknown]), [-1, 7])
