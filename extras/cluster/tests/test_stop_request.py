"""How a task is stopped, by a signal or with another task."""

from __future__ import annotations

import os
import signal

import pytest

from extras.cluster.stop_request import TaskStopRequest
from library.errors import Stopped

pytestmark = pytest.mark.graph


def ended_by(request):
    """Exit code and line of what a request raises."""
    with pytest.raises(Stopped) as error:
        request.raise_if_asked()
    return error.value.exit_code, str(error.value)


@pytest.mark.parametrize(('saves', 'after'), [(True, ' after a checkpoint'), (False, '')])
def test_who_follows_another_task_ends_as_by_a_signal_and_says_why(capsys, saves, after):
    request = TaskStopRequest('the others go on', saves)
    request.raise_if_asked()
    request.follow()
    assert request.is_asked
    # No signal came, so there is none to tell of.
    assert capsys.readouterr().out == ''
    way_on = 'the same command in all tasks goes on from the last checkpoint'
    assert ended_by(request) == (143, f'stopped together with another task{after}; {way_on}')


def test_who_got_a_signal_itself_does_not_follow():
    with TaskStopRequest('start again') as request:
        os.kill(os.getpid(), signal.SIGINT)
        request.follow()
    assert ended_by(request) == (130, 'stopped by SIGINT after a checkpoint; start again')
