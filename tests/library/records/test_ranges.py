"""Which ranges of a file are read for some of its records."""

from __future__ import annotations

import pytest

from library.records.ranges import to_ranges


@pytest.mark.parametrize(
    ('numbers', 'step', 'expected'),
    [
        ([], 1, []),
        ([5], 1, [(5, 1)]),
        ([3, 1, 2, 7], 1, [(1, 3), (7, 1)]),
        ([0, 10, 21], 10, [(0, 11), (21, 1)]),
        ([0, 10, 20], 10, [(0, 21)]),
    ],
)
def test_numbers_that_are_near_each_other_are_one_range(numbers, step, expected):
    assert list(to_ranges(numbers, step)) == expected
