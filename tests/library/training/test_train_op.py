"""One training step."""

from __future__ import annotations

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
