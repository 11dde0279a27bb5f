"""How often the evaluations of another process are looked at."""

from __future__ import annotations

import json

import pytest

from extras.cluster import early_end
from extras.cluster.early_end import EarlyEnd
from library.modes import early_stopping
from library.modes.early_stopping import EarlyStopping
from library.modes.options import LoopOptions

pytestmark = pytest.mark.graph


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
def clock(monkeypatch):
    """Seconds that pass only where a test adds them: `clock[0] += 1`."""
    seconds = [1000.0]
    monkeypatch.setattr(early_end.time, 'monotonic', lambda: seconds[0])
    monkeypatch.setattr(early_end, 'LOOK_SECONDS', 5.0)
    return seconds


@pytest.fixture
def reads(monkeypatch):
    """A list to which each reading of the history adds."""
    found, read = [], early_stopping.read_history
    monkeypatch.setattr(
        early_stopping, 'read_history', lambda folder: found.append(folder) or read(folder)
    )
    return found


def test_the_evaluations_of_another_process_are_seen_now_and_then(tmp_path, clock, reads):
    end = EarlyEnd(EarlyStopping(str(tmp_path), LoopOptions(early_stopping_patience=2)))
    keep(tmp_path, [1, 2, 3])
    clock[0] += 4.9
    assert [end.look(), end.look()] == [False, False]
    assert len(reads) == 1  # at the start
    clock[0] += 0.1
    assert end.look()
    assert end.rules.reason == 'step 30: average_loss has not improved since 1.0000 at step 10'


def test_a_look_in_vain_starts_the_time_anew(tmp_path, clock, reads):
    end = EarlyEnd(EarlyStopping(str(tmp_path), LoopOptions(early_stopping_patience=2)))
    for _ in range(20):
        clock[0] += 1
        assert not end.look()
    assert len(reads) == 1 + 4


def test_once_there_is_a_reason_the_history_is_not_read_again(tmp_path, clock, reads):
    keep(tmp_path, [1, 2, 3])
    end = EarlyEnd(EarlyStopping(str(tmp_path), LoopOptions(early_stopping_patience=2)))
    keep(tmp_path, [3, 2, 1])
    clock[0] += 60
    assert end.look()
    assert len(reads) == 1


def test_without_a_rule_nobody_looks_for_evaluations(tmp_path, clock, reads):
    end = EarlyEnd(EarlyStopping(str(tmp_path), LoopOptions()))
    for _ in range(3):
        clock[0] += 60
        assert not end.look()
    assert len(reads) == 1
