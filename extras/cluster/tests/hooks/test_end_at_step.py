"""After which step training ends where several tasks count."""

from __future__ import annotations

import pytest
import tensorflow as tf

from extras.cluster.hooks.end_at_step import EndAtStepHook


def steps_until(hook, start=0, others=0, most=20):
    """How many steps are made until the session stops; `others` are made by others in each."""
    with tf.Graph().as_default():
        step = tf.compat.v1.train.get_or_create_global_step()
        train_op, made = step.assign_add(1 + others), 0
        with tf.compat.v1.train.SingularMonitoredSession(hooks=[hook]) as session:
            step.load(start, session.raw_session())
            while made < most and not session.should_stop():
                session.run(train_op)
                made += 1
    return made


@pytest.mark.parametrize(
    ('start', 'others', 'made'),
    [(0, 0, 6), (4, 0, 2), (0, 2, 2), (0, 3, 2), (6, 0, 1), (9, 0, 1)],
)
def test_no_step_is_made_beyond_the_last_but_for_those_of_others(start, others, made):
    assert steps_until(EndAtStepHook(6), start, others) == made
