"""After which step training ends."""

from __future__ import annotations

import tensorflow as tf

from library.hooks.end_where import EndWhereHook


def steps_until(hook, most=20):
    """How many steps are made until the session stops."""
    with tf.Graph().as_default():
        step = tf.compat.v1.train.get_or_create_global_step()
        train_op, made = step.assign_add(1), 0
        with tf.compat.v1.train.SingularMonitoredSession(hooks=[hook]) as session:
            while made < most and not session.should_stop():
                session.run(train_op)
                made += 1
    return made


def test_it_is_asked_after_every_step_and_ends_after_that_in_which_it_came_true():
    answers = iter([False, False, True])
    assert steps_until(EndWhereHook(lambda: next(answers))) == 3


def test_without_an_end_training_goes_on():
    assert steps_until(EndWhereHook(lambda: False), most=5) == 5
