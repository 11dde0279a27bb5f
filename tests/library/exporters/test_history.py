"""Logs with a line of JSON for each step."""

from __future__ import annotations

import pytest

from library.exporters.history import best_of, number, read_history, read_lines

pytestmark = pytest.mark.unit


@pytest.mark.parametrize('line', ['{"accuracy": 0.', '[1]', '5', 'null', '{"accuracy": 1}', '\xff'])
def test_a_spoiled_line_is_counted_and_left_out(tmp_path, line):
    path = tmp_path / 'log.jsonl'
    path.write_bytes(f'{{"step": 1}}\n{line}\n{{"step": 2}}\n'.encode('latin-1'))
    assert read_lines(str(path), 'step') == ([{'step': 1}, {'step': 2}], 1)


def test_a_run_without_evaluations_has_no_history(tmp_path):
    assert read_history(str(tmp_path)) == []


def test_what_is_no_finite_number_is_none():
    values = (None, True, 'x', float('nan'), float('inf'), -float('inf'), 10**400)
    assert [number({'m': value}, 'm') for value in values] == [None] * len(values)
    assert (number({'m': 0}, 'm'), number({'m': -1.5}, 'm'), number({}, 'm')) == (0, -1.5, None)


def test_the_best_is_the_first_of_equals_and_what_has_no_number_is_none():
    history = [{'m': None}, {'m': 2, 'n': 1}, {'m': 1}, {'m': 2, 'n': 2}, {}]
    assert best_of(history, 'm', lower_is_better=False) == {'m': 2, 'n': 1}
    assert best_of(history, 'm', lower_is_better=True) == {'m': 1}
    assert best_of(history, 'other', lower_is_better=True) is None
