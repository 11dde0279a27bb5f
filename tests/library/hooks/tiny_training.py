"""A training graph without a model: it counts steps, and its loss is 1 / step."""

from __future__ import annotations

import tensorflow as tf

from library.hooks.watched import watch, watched


def train(hooks, steps, start=0, build=lambda step: None, left_out=()):
    """Runs `steps` steps of a graph under `hooks`, from the step `start` on.

    Runs of the session with a number in `left_out`, from 1, count no step: a loss scale does so.

    build(step) may add to the graph; the session sees a float32 `step` that is not yet counted.
    """
    with tf.Graph().as_default():
        step = tf.compat.v1.get_variable(
            'global_step',
            dtype=tf.int64,
            initializer=tf.constant(start, tf.int64),
            trainable=False,
            collections=[
                tf.compat.v1.GraphKeys.GLOBAL_VARIABLES,
                tf.compat.v1.GraphKeys.GLOBAL_STEP,
            ],
        )
        before = tf.identity(tf.cast(step, tf.float32))
        watch('learning_rate', tf.constant(0.001))
        build(before)
        loss = 1 / (before + 1)
        tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.LOSSES, loss)
        # What is fetched in a step is of that step, as in a true graph.
        fetched = [before, *watched().values()]
        with tf.control_dependencies(fetched):
            train_op = step.assign_add(1)
        with tf.compat.v1.train.SingularMonitoredSession(hooks=hooks) as session:
            for number in range(1, steps + 1):
                if session.should_stop():
                    break
                session.run(before if number in left_out else train_op)
