"""A room whose tests run too few of its lines is named, and so is a floor of no room."""

from __future__ import annotations

from pathlib import Path

import pytest
from coverage import CoverageData

from scripts.coverage_floors import FLOORS, NEW_ROOM, below, measured, room_of
from tests.processes import ROOT

pytestmark = pytest.mark.unit


def test_rooms_are_the_folders_of_the_library_and_of_the_extras_and_the_project():
    assert room_of(Path('library/config/fields.py')) == 'library/config'
    assert room_of(Path('library/modes/report/page.py')) == 'library/modes'
    assert room_of(Path('library/files.py')) == 'library'
    assert room_of(Path('extras/cluster/chief.py')) == 'extras/cluster'
    assert room_of(Path('project/models/hub/model.py')) == 'project'


def test_what_is_below_its_floor_is_named_with_both_numbers():
    lines = {'library/a': (89, 100), 'library/b': (90, 100), 'library/c': (1, 10)}
    assert below(lines, {'library/a': 90, 'library/b': 90, 'library/d': 5}) == [
        'library/a: 89.0 %, less than its floor of 90 %',
        f'library/c: 10.0 %, less than its floor of {NEW_ROOM} %',
        'library/d: it has a floor, but no lines',
    ]


def test_every_floor_is_one_of_a_room():
    assert [room for room in FLOORS if not (ROOT / room).is_dir()] == []


def test_lines_are_counted_by_room(tmp_path):
    data = CoverageData(str(tmp_path / 'data'))
    first, second = ROOT / 'library' / 'errors.py', ROOT / 'library' / 'files.py'
    data.add_lines({str(first): [1], str(second): range(1, 10_000)})
    data.write()
    ((room, (ran, all_lines)),) = measured(tmp_path / 'data').items()
    assert room == 'library'
    assert 0 < ran < all_lines
