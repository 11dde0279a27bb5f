"""Signals end a run in good order."""

from __future__ import annotations

import os
import signal

import pytest
import tensorflow as tf

from library.errors import Stopped
from library.hooks.end_where import EndWhereHook
from library.hooks.stop_on_signal import StopEvaluationHook, StopRequest


@pytest.mark.parametrize(('number', 'code'), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_training_ends_after_the_step_in_which_the_signal_came(number, code):
    with tf.Graph().as_default(), StopRequest() as request:
        step = tf.compat.v1.train.get_or_create_global_step().assign_add(1)
        steps = 0
        with tf.compat.v1.train.MonitoredTrainingSession(
            hooks=[EndWhereHook(lambda: request.is_asked)]
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


def ended_by(request):
    """Exit code and text with which a request ends a run."""
    with pytest.raises(Stopped) as error:
        request.raise_if_asked()
    return error.value.exit_code, str(error.value)


@pytest.mark.parametrize(
    ('saves', 'doing', 'end'),
    [
        (True, 'saving a checkpoint', 'stopped by SIGTERM after a checkpoint; start again'),
        (False, 'coming to an end', 'stopped by SIGTERM; start again'),
    ],
)
def test_what_is_said_of_a_signal_promises_a_checkpoint_only_if_there_will_be_one(
    capsys, saves, doing, end
):
    with StopRequest('start again', saves) as request:
        os.kill(os.getpid(), signal.SIGTERM)
        assert request.is_asked
    assert capsys.readouterr().out == f'SIGTERM: {doing} (once more stops at once)\n'
    assert ended_by(request) == (143, end)


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
