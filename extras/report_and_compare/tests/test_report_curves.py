"""What a run's history becomes before it is drawn."""

from __future__ import annotations

import pytest

from extras.report_and_compare.report.curves import points_of

pytestmark = pytest.mark.graph


def test_points_are_sorted_and_what_is_no_number_is_left_out():
    values = (0.3, None, float('nan'), True, 'x', 1e200, 10**400)
    lines = [{'step': n, 'loss': value} for n, value in enumerate(values)]
    assert points_of(
        [{'step': 9, 'loss': 1}, *lines, {'step': 4}, {'step': 10**400, 'loss': 1}], 'step', 'loss'
    ) == [
        (0, 0.3),
        (9, 1),
    ]
