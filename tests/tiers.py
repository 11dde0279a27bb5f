"""Say what each test needs, and so when it runs and how long it may take.

The folder of a test gives it its tier. A file that needs something else says so itself, by
`pytestmark = pytest.mark.TIER`, and so does a single test by a mark of its own; the nearest counts.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# What a test of each tier may use, from cheap to dear, and the seconds that it may take. A busy
# machine is several times slower than an idle one.
TIERS = {
    'unit': ('no TensorFlow', 60),
    'graph': ('TensorFlow in this process: graphs and sessions, but no training runs', 180),
    'train': ('training runs in this process', 400),
    'process': ('programs of their own, with signals and kills', 900),
}
SMOKE = 'a short run of each mode, which the quick tests have too'

# The nearest folder counts; a new room of the library is taken to need TensorFlow.
FOLDERS = {
    'extras/cluster/tests': 'train',
    'extras/cluster/tests/hooks': 'graph',
    'tests': 'process',
    'tests/benchmarks': 'graph',
    'tests/library': 'graph',
    'tests/library/config': 'unit',
    'tests/library/modes': 'train',
    'tests/library/preparation': 'unit',
    'tests/library/records': 'unit',
    'tests/library/runs': 'unit',
    'tests/library/runtime': 'unit',
    'tests/project': 'graph',
}
_OWN = re.compile(r'^pytestmark = \[?pytest\.mark\.(\w+)', re.MULTILINE)


@functools.cache
def tier_of_file(path: Path) -> str:
    """Return what a file says of itself, or what its folder says; it is not imported."""
    own = _OWN.search(path.read_text())
    if own and own[1] in TIERS:
        return own[1]
    folders = (str(each) for each in path.relative_to(ROOT).parents)
    return next((FOLDERS[each] for each in folders if each in FOLDERS), 'process')


def assign_tiers(items: Iterable[pytest.Item]) -> None:
    """Give each test the mark of its tier and, unless it has one, that tier's time limit.

    Raises:
      UsageError: A test is marked with two tiers; names all of these.
    """
    twice = []
    for item in items:
        own = [mark.name for mark in item.own_markers if mark.name in TIERS]
        if len(own) > 1:
            twice.append(f'{item.nodeid}: {" and ".join(own)}')
        tier = own[0] if own else tier_of_file(item.path)
        for node in item.listchain()[:-1]:
            node.own_markers[:] = [mark for mark in node.own_markers if mark.name not in TIERS]
        if not own:
            item.add_marker(tier)
        if item.get_closest_marker('timeout') is None:
            item.add_marker(pytest.mark.timeout(TIERS[tier][1]))
    if twice:
        raise pytest.UsageError('a test has one tier:\n' + '\n'.join(twice))


def tier_of(item: pytest.Item) -> str:
    """Return the tier that a collected test was given."""
    (tier,) = {mark.name for mark in item.iter_markers() if mark.name in TIERS}
    return tier


def may_train(item: pytest.Item) -> bool:
    """Return whether a collected test is of a tier in which runs are trained."""
    return tier_of(item) != 'graph' or item.get_closest_marker('smoke') is not None


def has_tensorflow() -> bool:
    """Return whether TensorFlow has been imported into this process."""
    return 'tensorflow' in sys.modules
