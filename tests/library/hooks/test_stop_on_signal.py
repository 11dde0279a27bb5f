"""Signals end a run in good order."""

from __future__ import annotations

import os
import signal

import pytest
import tensorflow as tf

from library.errors import Stopped
from library.hooks.stop_on_signal import StopEvaluationHook, StopRequest, StopTrainingHook


@pytest.mark.parametrize(('number', 'code'), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_training_ends_after_the_step_in_which_the_signal_came(number, code):
    with tf.Graph().as_default(), StopRequest() as request:
        step = tf.compat.v1.train.get_or_create_global_step().assign_add(1)
        steps = 0
        with tf.compat.v1.train.MonitoredTrainingSession(
            hooks=[StopTrainingHook(request)]
        ) as session:
            while not session.should_stop():
                steps = session.run(step)
                if steps == 3:
                    os.kill(os.getpid(), number)
        # Python serves a signal between two of its own instructions: at once or one step later.
        assert steps in (3, 4)
        with pytest.raises(Stopped, match='after a checkpoint; the same command goes on') as error:
            request.raise_if_asked()
    assert error.value.exit_code == code


def test_an_evaluation_does_not_start_after_a_signal():
    with StopRequest() as request:
        StopEvaluationHook(request).begin()
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Stopped):
            StopEvaluationHook(request).begin()


def test_a_second_signal_is_served_at_once():
    with pytest.raises(KeyboardInterrupt), StopRequest():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)


def test_the_handlers_of_before_come_back():
    before = signal.getsignal(signal.SIGTERM)
    with StopRequest():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
