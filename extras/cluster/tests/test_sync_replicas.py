"""Gradients of several workers to one step; here the chief is the only worker."""

from __future__ import annotations

import gc
import logging
import threading
import time

import pytest
import tensorflow as tf

from extras.cluster.sync_replicas import SyncReplicasHook, SyncReplicasOptimizer

pytestmark = pytest.mark.graph


class Model:
    """A weight that is 0 at first, and changes by the mean of `to_aggregate` gradients."""

    def __init__(self, to_aggregate, is_chief=True, start=0):
        self.step = tf.compat.v1.train.get_or_create_global_step()
        self.weight = tf.compat.v1.get_variable('weight', initializer=0.0)
        self.given = tf.compat.v1.placeholder(tf.float32, [])
        descent = tf.compat.v1.train.GradientDescentOptimizer(1.0)
        self.optimizer = SyncReplicasOptimizer(descent, to_aggregate, total_num_replicas=1)
        self.hook = SyncReplicasHook(self.optimizer, is_chief)
        gradients = [(self.given, self.weight)]
        self.train_op = self.optimizer.apply_gradients(gradients, self.step)

    def give(self, session, *gradients):
        for each in gradients:
            session.run(self.train_op, {self.given: each})

    def after_step(self, session, number):
        """The weight, once so many steps are made."""
        last = time.monotonic() + 20
        while session.run(self.step) < number and time.monotonic() < last:
            time.sleep(0.01)
        assert session.run(self.step) == number
        return session.run(self.weight)


def session_of(model):
    return tf.compat.v1.train.MonitoredTrainingSession(hooks=[model.hook])


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


@pytest.mark.parametrize('gradients', [[3.0], [1.0, 3.0], [1.0, 2.0, 6.0]])
def test_as_many_gradients_as_were_asked_for_make_one_step_of_their_mean(gradients):
    model = Model(len(gradients))
    with session_of(model) as session:
        model.give(session, *gradients[:-1])
        assert session.run([model.step, model.weight]) == [0, 0.0]
        model.give(session, gradients[-1])
        assert model.after_step(session, 1) == -sum(gradients) / len(gradients)


def test_a_gradient_of_old_weights_is_left_out():
    model = Model(2)
    with session_of(model) as session:
        model.give(session, 1, 3)
        assert model.after_step(session, 1) == -2
        # The worker took its turn for this one before that step was made.
        model.give(session, 100)
        model.give(session, 5, 9)
        assert model.after_step(session, 2) == -2 - 7


def threads():
    return {each for each in threading.enumerate() if each.is_alive()}


def test_the_chief_ends_at_once_though_it_waits_for_gradients():
    model, before = Model(2), threads()
    with session_of(model) as session:
        model.give(session, 1)
        began = time.monotonic()
        assert threads() > before
    assert time.monotonic() - began < 10
    last = time.monotonic() + 10
    while threads() - before and time.monotonic() < last:
        time.sleep(0.01)
    assert threads() <= before


def test_an_error_where_steps_are_made_ends_the_chief_although_it_waits_for_its_turn():
    model = Model(1)
    begin = model.hook.begin

    def begin_and_break():
        begin()
        error = tf.debugging.Assert(tf.equal(model.step, -1), ['the disk of a server is full'])
        with tf.control_dependencies([error]):
            model.hook._hand_out = tf.no_op()

    model.hook.begin = begin_and_break
    began = time.monotonic()
    with (
        pytest.raises(tf.errors.InvalidArgumentError, match='the disk of a server is full'),
        session_of(model) as session,
    ):
        model.give(session, 1, 2, 3)
    assert time.monotonic() - began < 20


def test_a_worker_takes_the_count_of_the_run_and_hands_out_nothing():
    model, before = Model(2, is_chief=False), threads()
    with tf.compat.v1.Session() as session:
        model.hook.begin()
        session.run(tf.compat.v1.global_variables_initializer())
        session.run(tf.compat.v1.local_variables_initializer())
        model.step.load(7, session)
        model.hook.after_create_session(session, None)
        assert threads() == before
        (count,) = [v for v in tf.compat.v1.local_variables() if 'local_step' in v.name]
        assert session.run(count) == 7


@pytest.mark.parametrize('is_chief', [True, False])
def test_tensorflow_does_not_complain_of_what_is_never_used(is_chief):
    told = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())
    # TensorFlow complains when a graph is collected: those of other tests first.
    gc.collect()
    logging.getLogger('tensorflow').addHandler(handler)
    try:
        with tf.Graph().as_default():
            model = Model(1, is_chief)
            with session_of(model):
                pass
        del model
        gc.collect()
    finally:
        logging.getLogger('tensorflow').removeHandler(handler)
    assert not [each for each in told if 'never used' in each]
