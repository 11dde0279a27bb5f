"""Short names of runs."""

from __future__ import annotations

import pytest

from extras.report_and_compare.comparison.names import short_names

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ('folders', 'names'),
    [
        (['/out/a/checkpoints', '/out/b/checkpoints'], ['a', 'b']),
        (['/out/a', '/out/b'], ['a', 'b']),
        (['/out/x/checkpoints'], ['x/checkpoints']),
        (['/out/a', '/out/a/best'], ['a', 'a/best']),
        (['/out/a/checkpoints', '/else/where/run'], ['a/checkpoints', 'where/run']),
        (['/1/a/b/c', '/2/a/b/d'], ['b/c', 'b/d']),
        (['/1/a/b/c', '/2/a/b/c'], ['1', '2']),
        (['/1/a/b/c/d', '/2/a/b/c/e', '/3/a/b/c/e'], ['1/a/b/c/d', '2/a/b/c/e', '3/a/b/c/e']),
        (['gs://bucket/a/run', 'gs://bucket/b/run'], ['a', 'b']),
    ],
)
def test_names_are_short_and_tell_runs_apart(folders, names):
    assert short_names(folders) == names
