"""The progress line of a chief whose steps others count too."""

from __future__ import annotations

import io
import itertools
import re

import pytest
import tensorflow as tf

from extras.cluster.hooks.progress import SharedProgressHook
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
