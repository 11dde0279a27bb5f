"""The progress line."""

from __future__ import annotations

import io
import itertools
import re

import pytest
import tensorflow as tf

from library.hooks import progress
from library.hooks.progress import ProgressHook, clock


class Terminal(io.StringIO):
    def isatty(self):
        return True


def train(stream, steps, total, left_out=()):
    with tf.Graph().as_default():
        step = tf.compat.v1.train.get_or_create_global_step()
        tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.LOSSES, tf.constant(0.25))
        train_op = step.assign_add(1)
        hook = ProgressHook(total, batch_size=10, stream=stream)
        with tf.compat.v1.train.SingularMonitoredSession(hooks=[hook]) as session:
            for number in range(1, steps + 1):
                session.run(step if number in left_out else train_op)
    return stream.getvalue()


def test_the_last_step_is_always_shown_with_all_figures():
    last = train(io.StringIO(), 5, total=5).splitlines()[-1]
    assert re.fullmatch(r'step 5/5  100 %  loss 0\.2500  \d+ examples/s  0:00 left', last)


def test_a_terminal_keeps_one_line_and_a_line_break_at_the_end():
    text = train(Terminal(), 5, total=5)
    assert text.startswith('\r\033[K')
    assert text.endswith('left\n')
    assert text.count('\n') == 1


def test_a_log_file_is_not_flooded():
    assert train(io.StringIO(), 50, total=1000) == ''


@pytest.mark.parametrize('left_out', [{1}, {2}, {5}, {2, 5}])
def test_a_step_that_a_loss_scale_leaves_out_is_no_progress(left_out):
    (line,) = train(io.StringIO(), 5 + len(left_out), 5, left_out).splitlines()
    assert line.startswith('step 5/5  100 %  loss 0.2500  ')


def test_before_any_step_counts_there_is_no_time_left_to_tell(monkeypatch):
    monkeypatch.setattr(progress, 'LOG_SECONDS', 0)
    lines = train(io.StringIO(), 4, 4, left_out={1, 2}).splitlines()
    assert [line.partition('/')[0] for line in lines] == ['step 0', 'step 0', 'step 1', 'step 2']
    assert ['left' in line for line in lines] == [False, False, True, True]


def test_the_speed_is_that_of_training_alone(monkeypatch):
    seconds = itertools.count()  # a second passes with every look
    monkeypatch.setattr(progress, 'LOG_SECONDS', 0)
    monkeypatch.setattr(progress.time, 'monotonic', lambda: next(seconds))
    lines = train(io.StringIO(), 3, 3).splitlines()
    # A run takes 1 of the 2 seconds from one to the next, and the first does not count.
    found = [re.search(r'(\d+) examples/s', line) for line in lines]
    assert [each and each[1] for each in found] == [None, '10', '10']


@pytest.mark.parametrize(
    ('seconds', 'text'), [(0, '0:00'), (59.6, '1:00'), (725, '12:05'), (11220, '3:07:00')]
)
def test_times_read_like_a_clock(seconds, text):
    assert clock(seconds) == text
