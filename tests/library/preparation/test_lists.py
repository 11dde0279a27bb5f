"""The lists beside the shards: rejected images, stored images, duplicates."""

from __future__ import annotations

import csv
import os

import pytest

from library.preparation.output import ROWS, is_free_for_list, write_list
from tests.library.preparation.conversions import change_times, contents

pytestmark = pytest.mark.graph


@pytest.fixture
def report(tmp_path):
    return str(tmp_path / 'train.rejected.csv')


def test_each_row_stands_under_the_columns_of_its_list(report):
    name = os.fsdecode(b'caf\xe9, "1"\n.jpg')
    rows = [('cat/0.jpg', 'empty file'), (name, 'damaged (cut, "early")')]
    write_list(report, lambda: rows)
    with open(report, 'rb') as file:
        assert file.read().startswith(b'file,reason\ncat/0.jpg,empty file\n')
    with open(report, newline='', encoding='utf-8', errors='surrogateescape') as file:
        assert list(csv.reader(file))[1:] == [list(row) for row in rows]


def test_a_long_list_is_whole(report):
    rows = [(str(number), 'empty file') for number in range(2 * ROWS + 5)]
    write_list(report, lambda: rows)
    with open(report, newline='') as file:
        assert list(csv.reader(file)) == [['file', 'reason'], *map(list, rows)]


def test_a_list_without_rows_goes(report, tmp_path):
    write_list(report, lambda: [('cat/0.jpg', 'empty file')])
    write_list(report, lambda: [])
    write_list(report, lambda: [])
    assert contents(tmp_path) == {}


def test_a_list_that_is_still_right_is_left_alone(report, tmp_path):
    write_list(report, lambda: [('cat/0.jpg', 'empty file')])
    before = change_times(tmp_path)
    write_list(report, lambda: [('cat/0.jpg', 'empty file')])
    assert change_times(tmp_path) == before


@pytest.mark.parametrize('older', [[], [('a', 'one')], [('a', 'one'), ('b', 'two'), ('c', 'one')]])
def test_another_list_replaces_the_older_one(report, tmp_path, older):
    write_list(report, lambda: older)
    write_list(report, lambda: [('a', 'one'), ('b', 'two')])
    assert contents(tmp_path) == {'train.rejected.csv': b'file,reason\na,one\nb,two\n'}


def test_the_place_of_a_list_is_free_for_one_of_its_kind_only(report, tmp_path):
    assert is_free_for_list(report)
    write_list(report, lambda: [('cat/0.jpg', 'empty file')])
    assert is_free_for_list(report)
    for other in (b'', b'file,why\n', b'path,label\ncat/0.jpg,cat\n'):
        (tmp_path / 'train.rejected.csv').write_bytes(other)
        assert not is_free_for_list(report)
