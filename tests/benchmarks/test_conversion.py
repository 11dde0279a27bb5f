"""The benchmark of the conversion, on a few images; its figures are not looked at."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from benchmarks.conversion import REFERENCE, ROOT
from benchmarks.photos import draw_folder, draw_photo
from benchmarks.pillow_loop import find_images, shrink

pytestmark = pytest.mark.unit


@pytest.mark.process
def test_the_program_prints_a_table_of_commands_and_one_of_workers(tmp_path, program):
    draw_folder(tmp_path, 10, width=80, height=60)
    words = ['--photos', str(tmp_path), '--max_edge', '64', '--workers', '2', '--rounds', '1']
    # A process of its own: what is started counts the memory of what starts it.
    done = program('-m', 'benchmarks.conversion', *words, '--earlier', ROOT)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    rows = [line.split('  ')[0].strip() for line in lines]
    commands = ['one command', 'two commands', 'one command, earlier', 'two commands, earlier']
    assert rows[2:7] == [REFERENCE, *commands]
    assert rows[9:12] == [REFERENCE, '1 worker', '2 workers']
    for reference in (lines[2], lines[9]):
        assert reference.endswith('1.00 (1.00 to 1.00)')
    (megabytes,) = re.findall(r'^largest process of a conversion: (\d+) MB$', lines[7])
    assert 20 < int(megabytes) < 120
    assert lines[12].startswith('machine: ')


@pytest.mark.process
def test_the_loop_shrinks_each_image_in_processes_of_its_own(tmp_path, program):
    draw_folder(tmp_path, 3, width=80, height=60)
    images = find_images(tmp_path)
    sizes = [Image.open(io.BytesIO(shrink(path, 40, 80))).size for path in images]
    assert sizes == [(40, 30)] * 3
    done = program('-m', 'benchmarks.pillow_loop', tmp_path, 40, 80, 2)
    assert int(done.stdout) == sum(len(shrink(path, 40, 80)) for path in images)


def test_photos_are_the_same_for_the_same_number_and_differ_otherwise():
    assert draw_photo(1, 64, 48).tobytes() == draw_photo(1, 64, 48).tobytes()
    assert draw_photo(1, 64, 48).tobytes() != draw_photo(2, 64, 48).tobytes()


@pytest.mark.process
def test_all_photos_of_a_folder_differ(tmp_path):
    draw_folder(tmp_path, 10, width=64, height=48)
    photos = [path.read_bytes() for path in tmp_path.rglob('*.jpg')]
    assert len(set(photos)) == 10
