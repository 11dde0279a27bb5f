"""The speed of training."""

from __future__ import annotations

import pytest
import tensorflow as tf

from library.hooks import examples_per_second
from library.hooks.examples_per_second import WARMUP_STEPS, ExamplesPerSecondHook
from tests.library.hooks.tiny_training import train


class Clock:
    """Stands still but for what the test lets pass."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


class Pass(tf.estimator.SessionRunHook):
    """Lets time pass: in a step's session.run (it stands after the hook), or between steps."""

    def __init__(self, clock, seconds_of_step, between=lambda step: 0.0):
        self._clock = clock
        self._seconds_of_step = seconds_of_step
        self._between = between
        self._step = 0

    def before_run(self, run_context):
        self._step += 1
        self._clock.now += self._seconds_of_step(self._step)

    def after_run(self, run_context, run_values):
        self._clock.now += self._between(self._step)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(examples_per_second, 'time', clock)
    return clock


def written(folder):
    found = {}
    (path,) = folder.glob('events*')
    for event in tf.compat.v1.train.summary_iterator(str(path)):
        for value in event.summary.value:
            found[event.step, value.tag] = value.simple_value
    return found


def close_events(folder):
    with tf.Graph().as_default():
        tf.compat.v1.summary.FileWriterCache.get(str(folder)).flush()


def test_current_and_average_speed_are_reported_and_drawn(clock, tmp_path, capsys):
    # 10 examples of a step; after the warm-up 10 steps of 0.5 s, then 10 of 0.25 s.
    hook = ExamplesPerSecondHook(str(tmp_path), batch_size=10, every_steps=10)
    train([hook, Pass(clock, lambda step: 0.5 if step <= 20 else 0.25)], 30)
    assert capsys.readouterr().out.splitlines() == [
        'step 20: 20.0 examples/s (average 20.0), 2.00 steps/s (average 2.00)',
        'step 30: 40.0 examples/s (average 26.7), 4.00 steps/s (average 2.67)',
    ]
    close_events(tmp_path)
    found = written(tmp_path)
    assert found[30, 'speed/examples_per_second'] == 40
    assert found[30, 'speed/examples_per_second_average'] == pytest.approx(200 / 7.5)
    assert found[30, 'speed/steps_per_second'] == 4
    assert found[20, 'speed/steps_per_second_average'] == 2


def test_the_first_steps_of_a_start_do_not_count(clock, tmp_path, capsys):
    slow = Pass(clock, lambda step: 100.0 if step <= WARMUP_STEPS else 0.5)
    train([ExamplesPerSecondHook(str(tmp_path), 1, 12), slow], 12, start=24)
    assert capsys.readouterr().out.startswith('step 36: 2.0 examples/s (average 2.0)')


def test_what_happens_between_steps_does_not_count(clock, tmp_path, capsys):
    # An evaluation of 100 s after step 15.
    between = Pass(clock, lambda step: 0.5, lambda step: 100.0 if step == 15 else 0.0)
    train([ExamplesPerSecondHook(str(tmp_path), 1, 20), between], 20)
    assert capsys.readouterr().out.startswith('step 20: 2.0 examples/s (average 2.0)')


def test_the_last_steps_are_reported_at_the_end(clock, tmp_path, capsys):
    train([ExamplesPerSecondHook(str(tmp_path), 1, 20), Pass(clock, lambda step: 0.5)], 23)
    assert [line.partition(':')[0] for line in capsys.readouterr().out.splitlines()] == [
        'step 20',
        'step 23',
    ]


def test_a_step_that_a_loss_scale_leaves_out_shifts_no_line(clock, tmp_path, capsys):
    hook = ExamplesPerSecondHook(str(tmp_path), 1, 20)
    train([hook, Pass(clock, lambda step: 0.5)], 24, left_out={12, 22})
    assert capsys.readouterr().out.splitlines() == [
        'step 20: 2.0 examples/s (average 2.0), 2.00 steps/s (average 2.00)',
        'step 22: 2.0 examples/s (average 2.0), 2.00 steps/s (average 2.00)',
    ]
    close_events(tmp_path)
    assert {step for step, _ in written(tmp_path)} == {20, 22}


def test_a_run_shorter_than_the_warm_up_has_no_speed(clock, tmp_path, capsys):
    train([ExamplesPerSecondHook(str(tmp_path), 1, 1), Pass(clock, lambda step: 0.5)], WARMUP_STEPS)
    assert capsys.readouterr().out == ''
