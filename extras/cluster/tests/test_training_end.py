"""What a task makes of the chief's note of the end, and the chief of the evaluations."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from extras.cluster import training_end
from extras.cluster.job_notes import forget_ended, note_ended, read_ended
from extras.cluster.stop_request import TaskStopRequest
from extras.cluster.tests.one_task import TOTAL, keep_checkpoint
from extras.cluster.training_end import (
    EndNotice,
    chief_has_ended,
    early_end,
    follow_chief,
    is_trained,
)
from library.errors import Stopped
from library.modes import early_stopping
from library.modes.early_stopping import EarlyStopping
from library.modes.options import LoopOptions

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


def test_a_note_of_an_older_start_does_not_count_until_it_was_taken_away(tmp_path):
    folder = str(tmp_path)
    note_ended(folder, 4, 'stopped')
    notice = EndNotice(folder)
    assert not notice.is_there()
    forget_ended(folder)  # by the chief, when it starts
    assert not notice.is_there()
    note_ended(folder, 4, 'stopped')
    assert notice.is_there()


def test_another_note_than_that_of_an_older_start_counts(tmp_path):
    note_ended(str(tmp_path), 4, 'stopped')
    notice = EndNotice(str(tmp_path))
    note_ended(str(tmp_path), 6, 'stopped')
    assert notice.is_there()


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only where a test adds them: `clock[0] += 1`."""
    seconds = [1000.0]
    monkeypatch.setattr(training_end.time, 'monotonic', lambda: seconds[0])
    monkeypatch.setattr(training_end, 'LOOK_SECONDS', 5.0)
    return seconds


def test_the_note_is_looked_for_now_and_then_and_not_once_it_was_seen(tmp_path, clock, monkeypatch):
    reads = []
    monkeypatch.setattr(
        training_end, 'read_ended', lambda folder: reads.append(0) or read_ended(folder)
    )
    has_ended = chief_has_ended(str(tmp_path))
    assert not has_ended()
    note_ended(str(tmp_path), TOTAL, 'trained')
    clock[0] += 4.9
    assert not has_ended()
    assert len(reads) == 1
    clock[0] += 0.1
    assert has_ended()
    # The chief may be started again before this task ends.
    forget_ended(str(tmp_path))
    clock[0] += 60
    assert has_ended()
    assert len(reads) == 2


def rules_in(folder, **options):
    return EarlyStopping(str(folder), LoopOptions(**options))


def keep(folder, values):
    """Writes the evaluations that another process keeps."""
    (folder / 'eval').mkdir(exist_ok=True)
    kept = [
        {'global_step': 10 * number, 'average_loss': value}
        for number, value in enumerate(values, start=1)
    ]
    lines = [json.dumps(each) for each in kept]
    (folder / 'eval' / 'history.jsonl').write_text('\n'.join(lines))


@pytest.fixture
def reads(monkeypatch):
    """A list to which each reading of the history adds."""
    found, read = [], early_stopping.read_history
    monkeypatch.setattr(
        early_stopping, 'read_history', lambda folder: found.append(folder) or read(folder)
    )
    return found


def test_the_evaluations_of_another_process_are_seen_now_and_then(tmp_path, clock, reads):
    rules = rules_in(tmp_path, early_stopping_patience=2)
    is_early = early_end(rules)
    keep(tmp_path, [1, 2, 3])
    clock[0] += 4.9
    assert [is_early(), is_early()] == [False, False]
    assert len(reads) == 1  # at the start
    clock[0] += 0.1
    assert is_early()
    assert rules.reason == 'step 30: average_loss has not improved since 1.0000 at step 10'


def test_a_look_in_vain_starts_the_time_anew(tmp_path, clock, reads):
    is_early = early_end(rules_in(tmp_path, early_stopping_patience=2))
    for _ in range(20):
        clock[0] += 1
        assert not is_early()
    assert len(reads) == 1 + 4


def test_once_there_is_a_reason_the_history_is_not_read_again(tmp_path, clock, reads):
    keep(tmp_path, [1, 2, 3])
    is_early = early_end(rules_in(tmp_path, early_stopping_patience=2))
    keep(tmp_path, [3, 2, 1])
    clock[0] += 60
    assert is_early()
    assert len(reads) == 1


def test_without_a_rule_nobody_looks_for_evaluations(tmp_path, clock, reads):
    is_early = early_end(rules_in(tmp_path))
    for _ in range(3):
        clock[0] += 60
        assert not is_early()
    assert len(reads) == 1
