"""A step that does not come is told of, once."""

from __future__ import annotations

import threading
import time

import pytest
import tensorflow as tf

from extras.cluster.hooks.stalled import StalledHook
from tests.processes import wait_until

WARNING = 'warning: no step for 0.2 s, although no task is lost; one of them may be saving, or hang'


class Slow(tf.estimator.SessionRunHook):
    """Takes its time after each step, as a saver does."""

    def __init__(self, seconds):
        self.seconds = iter(seconds)

    def after_run(self, run_context, run_values):
        time.sleep(next(self.seconds))


@pytest.mark.parametrize(
    ('seconds', 'warnings'), [([0, 0.01, 0], 0), ([0, 0.6, 0.01], 1), ([0.6, 0.01, 0.6], 2)]
)
def test_each_step_that_takes_too_long_is_one_line_and_ends_nobody(capsys, seconds, warnings):
    with tf.Graph().as_default():
        train_op = tf.compat.v1.train.get_or_create_global_step().assign_add(1)
        hooks = [Slow(seconds), StalledHook(0.2)]
        with tf.compat.v1.train.MonitoredSession(hooks=hooks) as session:
            assert [int(session.run(train_op)) for _ in seconds] == [1, 2, 3]
    wait_until(lambda: all(each.name != 'stalled' for each in threading.enumerate()), 'its end', 5)
    assert capsys.readouterr() == ('', f'{WARNING}\n' * warnings)
