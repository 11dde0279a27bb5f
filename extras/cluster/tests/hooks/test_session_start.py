"""A chief tells that its session is there; the others wait for it."""

from __future__ import annotations

import pytest
import tensorflow as tf

from extras.cluster.hooks import session_start
from extras.cluster.hooks.session_start import AwaitStartHook, OneSessionHook, ReportStartHook
from library.errors import ResourceError, Stopped


class Note(tf.estimator.SessionRunHook):
    """Notes when the graph was finished, and when a session was there."""

    def __init__(self, events):
        self.events = events

    def begin(self):
        self.events.append('graph')

    def after_create_session(self, session, coord):
        self.events.append('session')


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(session_start, 'LOOK_SECONDS', 0.001)


def test_it_is_reported_once_with_the_session_and_not_with_the_graph():
    events = []
    hooks = [ReportStartHook(lambda: events.append('told')), Note(events)]
    with tf.Graph().as_default():
        step = tf.compat.v1.train.get_or_create_global_step()
        with tf.compat.v1.train.SingularMonitoredSession(hooks=hooks) as session:
            for _ in range(3):
                session.run(step)
    assert events == ['graph', 'told', 'session']


@pytest.mark.usefixtures('soon')
def test_no_session_is_made_before_the_start():
    events, answers = [], iter([False, False, True])

    def has_started():
        events.append('asked')
        return next(answers)

    def check():
        events.append('checked')
        assert len(events) < 10

    hooks = [AwaitStartHook(has_started, check), Note(events)]
    with tf.Graph().as_default(), tf.compat.v1.train.SingularMonitoredSession(hooks=hooks):
        pass
    assert events == ['asked', 'checked', 'asked', 'checked', 'asked', 'graph', 'session']


def test_who_comes_after_the_start_does_not_wait(monkeypatch):
    monkeypatch.setattr(session_start.time, 'sleep', lambda seconds: pytest.fail('it waits'))
    AwaitStartHook(lambda: True, lambda: pytest.fail('it looks for a way out')).begin()


@pytest.mark.usefixtures('soon')
def test_a_check_can_end_the_wait():
    looks = []

    def check():
        looks.append(1)
        if len(looks) == 3:
            raise Stopped(15, 'stopped')

    with pytest.raises(Stopped):
        AwaitStartHook(lambda: False, check).begin()
    assert len(looks) == 3


class LosesSession(tf.estimator.SessionRunHook):
    """Lets a session be lost after its first step, as a failure of the network does."""

    def __init__(self, error):
        self.error, self.steps = error, 0

    def after_run(self, run_context, run_values):
        self.steps += 1
        if self.steps == 1:
            raise self.error


def steps_with(*hooks):
    with tf.Graph().as_default():
        train_op = tf.compat.v1.train.get_or_create_global_step().assign_add(1)
        with tf.compat.v1.train.MonitoredSession(hooks=hooks) as session:
            session.run(train_op)
            return session.run(train_op)


@pytest.mark.parametrize('error', [tf.errors.AbortedError, tf.errors.UnavailableError])
def test_a_session_that_was_lost_is_not_made_anew(error):
    lost = error(None, None, 'lost')
    assert steps_with(LosesSession(lost)) == 2  # by TensorFlow itself, of another session
    with pytest.raises(ResourceError, match=r'^the session was lost, by a failure of storage or'):
        steps_with(OneSessionHook(0, lambda: False), LosesSession(lost))


def test_before_a_task_whose_session_was_lost_ends_others_may_say_why(monkeypatch):
    """Unless somebody wants it to end at once."""
    slept = []
    monkeypatch.setattr(session_start.time, 'sleep', slept.append)
    lost = tf.errors.UnavailableError(None, None, 'lost')
    with pytest.raises(ResourceError):
        steps_with(OneSessionHook(60, lambda: len(slept) == 3), LosesSession(lost))
    assert slept == [session_start.LOOK_SECONDS] * 3


def test_a_session_that_holds_is_left_alone():
    assert steps_with(OneSessionHook(60, lambda: True)) == 2
