"""When a step is due."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from library.hooks.every_steps import EveryStepsHook

pytestmark = pytest.mark.graph


class Session:
    """Knows the true step, and counts how often it is asked."""

    def __init__(self, step):
        self.step = step
        self.asked = 0

    def run(self, tensor):
        self.asked += 1
        return self.step


class Noting(EveryStepsHook):
    """Notes each step that is due."""

    def __init__(self, every, from_start):
        super().__init__(every, from_start)
        self._step_tensor = None
        self.found = []

    def tell(self, values):
        self.found.append(self.step)


def due(every, start, rises, from_start=False):
    """The steps that are due in runs of the session that each add a number; and the session."""
    hook, session = Noting(every, from_start), Session(start)
    hook.after_create_session(session, None)
    for rise in rises:
        session.step += rise
        hook.after_run(SimpleNamespace(session=session), SimpleNamespace(results=None))
    return hook.found, session


@pytest.mark.parametrize(
    ('start', 'rises', 'expected'),
    [
        (0, [1] * 7, [3, 6]),
        (4, [1] * 5, [6, 9]),
        (6, [1] * 3, [9]),
        # One step is left out: the first, the one before a due one, the due one itself.
        (0, [0, 1, 1, 1, 1, 1, 1], [3, 6]),
        (0, [1, 0, 1, 1, 1, 1, 1], [3, 6]),
        (0, [1, 1, 0, 1, 1, 1, 1], [3, 6]),
        # As many as lie between two that are due.
        (0, [1, 1, 1, 0, 0, 0, 1, 1, 1], [3, 6]),
        # Another process counts steps too.
        (0, [2, 2, 2, 2], [6]),
    ],
)
def test_each_step_that_the_number_divides_is_due_once(start, rises, expected):
    assert due(3, start, rises)[0] == expected


def test_the_first_step_of_a_start_can_be_due():
    assert due(3, 7, [1] * 7, from_start=True)[0] == [8, 11, 14]


def test_the_session_is_asked_at_the_start_and_where_a_step_is_due():
    assert due(100, 0, [1] * 250)[1].asked == 3
    # Once more for a step that was left out before.
    assert due(100, 0, [0] + [1] * 250)[1].asked == 4
