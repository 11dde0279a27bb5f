"""The benchmark of the conversion, on a few images; its figures are not looked at."""

from __future__ import annotations

import pytest

from benchmarks.conversion import REFERENCE, main
from benchmarks.photos import draw_folder, draw_photo

pytestmark = pytest.mark.unit


@pytest.mark.process
def test_the_program_prints_a_row_for_the_loop_and_for_each_number_of_workers(tmp_path, capsys):
    draw_folder(tmp_path, 5, width=80, height=60)
    words = ['--photos', str(tmp_path), '--max_edge', '64', '--workers', '2', '--rounds', '1']
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split('  ')[0].strip() for line in lines[2:5]]
    assert rows == [REFERENCE, '1 worker', '2 workers']
    assert lines[2].endswith('1.00 (1.00 to 1.00)')
    assert lines[5].startswith('machine: ')


def test_photos_are_the_same_for_the_same_number_and_differ_otherwise():
    assert draw_photo(1, 64, 48).tobytes() == draw_photo(1, 64, 48).tobytes()
    assert draw_photo(1, 64, 48).tobytes() != draw_photo(2, 64, 48).tobytes()


@pytest.mark.process
def test_all_photos_of_a_folder_differ(tmp_path):
    draw_folder(tmp_path, 10, width=64, height=48)
    photos = [path.read_bytes() for path in tmp_path.rglob('*.jpg')]
    assert len(set(photos)) == 10
