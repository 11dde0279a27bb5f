"""What several tasks want, known to each of them after the same step."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import tensorflow as tf

from extras.cluster.hooks.consensus import ConsensusHook


class Wish:
    """Wanted in these steps, from 1; counts how often it was asked."""

    def __init__(self, *steps):
        self.steps, self.asked = steps, 0

    def __call__(self):
        self.asked += 1
        return self.asked in self.steps


def agreed_after_each_step(wishes, steps):
    """The names that are agreed on after each step of a session in the default strategy."""
    with tf.Graph().as_default():
        train_op = tf.compat.v1.train.get_or_create_global_step().assign_add(1)
        hook, found = ConsensusHook(wishes), []
        with tf.compat.v1.train.SingularMonitoredSession(hooks=[hook]) as session:
            for _ in range(steps):
                session.run(train_op)
                found.append({name for name in wishes if hook.is_agreed(name)})
    return found


def test_what_one_task_wants_is_agreed_after_the_step_and_each_wish_for_itself():
    wishes = {'stop': Wish(2), 'end': Wish(), 'save': Wish(2, 3)}
    assert agreed_after_each_step(wishes, 3)[1] == {'stop', 'save'}


def test_what_was_agreed_a_step_before_is_forgotten():
    wishes = {'stop': Wish(1), 'save': Wish(3)}
    assert agreed_after_each_step(wishes, 4) == [{'stop'}, set(), {'save'}, set()]


def test_each_wish_is_asked_once_a_step():
    wish = Wish()
    agreed_after_each_step({'stop': wish}, 4)
    assert wish.asked == 4


@pytest.mark.parametrize(('sums', 'agreed'), [([0, 0], []), ([1, 0], ['stop']), ([2, 3], 'both')])
def test_what_any_task_wants_counts_however_many_there_are(sums, agreed):
    hook = ConsensusHook({'stop': lambda: False, 'save': lambda: False})
    assert not hook.is_agreed('stop')  # before any step
    hook.after_run(None, SimpleNamespace(results=sums))
    found = [name for name in ('stop', 'save') if hook.is_agreed(name)]
    assert found == (['stop', 'save'] if agreed == 'both' else agreed)
