"""What is shown of training, and when it ends, where several tasks count its steps."""

from __future__ import annotations

import io
import itertools
import re

import pytest
import tensorflow as tf

from extras.cluster.hooks.shared_steps import EndAtStepHook, SharedProgressHook
from library.hooks import progress
from library.hooks.progress import ProgressHook


@pytest.mark.parametrize(
    ('hook_class', 'speeds'),
    # A run takes 1 of the 2 seconds from one to the next, and the clock was started 1 before it.
    [(ProgressHook, [None, '10', '10']), (SharedProgressHook, [None, '15', '15'])],
)
def test_where_others_count_steps_the_speed_is_that_of_all(monkeypatch, hook_class, speeds):
    seconds = itertools.count()  # a second passes with every look
    monkeypatch.setattr(progress, 'LOG_SECONDS', 0)
    monkeypatch.setattr(progress.time, 'monotonic', lambda: next(seconds))
    stream = io.StringIO()
    with tf.Graph().as_default():
        train_op = tf.compat.v1.train.get_or_create_global_step().assign_add(3)
        tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.LOSSES, tf.constant(0.25))
        hook = hook_class(12, batch_size=10, stream=stream)
        with tf.compat.v1.train.SingularMonitoredSession(hooks=[hook]) as session:
            for _ in range(3):
                session.run(train_op)
    lines = stream.getvalue().splitlines()
    assert [line.partition('/')[0] for line in lines] == ['step 3', 'step 6', 'step 9']
    found = [re.search(r'(\d+) examples/s', line) for line in lines]
    assert [each and each[1] for each in found] == speeds


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
