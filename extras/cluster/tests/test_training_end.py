"""What a task makes of the chief's note of the end."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from extras.cluster import training_end
from extras.cluster.job_notes import forget_ended, note_ended, read_ended
from extras.cluster.stop_request import TaskStopRequest
from extras.cluster.tests.one_task import TOTAL, keep_checkpoint
from extras.cluster.training_end import EndNotice, follow_chief, is_trained
from library.errors import Stopped

pytestmark = pytest.mark.graph


@pytest.fixture
def rules(monkeypatch):
    """The rules of an early end, by this task's own options."""
    found = SimpleNamespace(is_reached=False)
    monkeypatch.setattr(training_end, 'rules_of', lambda run: found)
    return found


@pytest.fixture
def experiment(tmp_path, rules, monkeypatch):
    """As much of a run as is looked at: its folder, and that it has 8 steps."""
    monkeypatch.setattr(training_end, 'run_length', lambda hparams, run: (None, TOTAL))
    return SimpleNamespace(hparams=SimpleNamespace(model_dir=str(tmp_path)), run=None)


@pytest.mark.parametrize(
    ('noted', 'newest', 'by_rule', 'trained', 'follows'),
    [
        (None, 8, False, False, False),
        (None, 8, True, False, False),  # the chief may not have seen it yet
        (8, 8, False, True, False),
        (9, 9, False, True, False),  # a worker was in a step
        (4, 4, False, False, True),  # a stop, or an older start with fewer steps
        (4, 4, True, True, False),
        (8, 4, False, False, False),  # the newest checkpoint was taken away
        (8, None, False, False, False),
    ],
)
def test_an_end_is_that_of_the_run_at_its_length_or_by_its_rules(
    experiment, rules, tmp_path, noted, newest, by_rule, trained, follows
):
    rules.is_reached = by_rule
    if noted:
        note_ended(str(tmp_path), noted, 'why')
    if newest:
        keep_checkpoint(tmp_path, newest)
    assert is_trained(experiment) == trained
    request = TaskStopRequest()
    follow_chief(experiment, request)
    assert request.is_asked == follows


def test_who_follows_the_chief_says_that_it_was_stopped_with_it(experiment, tmp_path):
    note_ended(str(tmp_path), 4, 'stopped')
    request = TaskStopRequest(saves=False)
    follow_chief(experiment, request)
    with pytest.raises(Stopped, match=r'^stopped together with another task; the same command in'):
        request.raise_if_asked()


def test_a_note_of_an_older_start_does_not_count_until_it_was_taken_away(experiment, tmp_path):
    folder = str(tmp_path)
    note_ended(folder, 4, 'stopped')
    notice = EndNotice(experiment, before=read_ended(folder))
    assert not notice.is_there()
    forget_ended(folder)  # by the chief, when it starts
    assert not notice.is_there()
    note_ended(folder, 4, 'stopped')
    assert notice.is_there()


def test_another_note_than_that_of_an_older_start_counts(experiment, tmp_path):
    note_ended(str(tmp_path), 4, 'stopped')
    notice = EndNotice(experiment, before=read_ended(str(tmp_path)))
    note_ended(str(tmp_path), 6, 'stopped')
    assert notice.is_there()


def test_the_note_is_looked_for_now_and_then_and_not_once_it_was_seen(
    experiment, tmp_path, monkeypatch
):
    seconds, reads = [1000.0], []
    monkeypatch.setattr(training_end.time, 'monotonic', lambda: seconds[0])
    monkeypatch.setattr(training_end, 'LOOK_SECONDS', 5.0)
    monkeypatch.setattr(
        training_end, 'read_ended', lambda folder: reads.append(0) or read_ended(folder)
    )
    notice = EndNotice(experiment)
    assert not notice.look()
    note_ended(str(tmp_path), TOTAL, 'trained')
    seconds[0] += 4.9
    assert not notice.look()
    assert len(reads) == 1
    seconds[0] += 0.1
    assert notice.look()
    # The chief may be started again before this task ends.
    forget_ended(str(tmp_path))
    seconds[0] += 60
    assert notice.look()
    assert len(reads) == 2
