"""Image files to prepared images, by worker processes."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import sys

import numpy as np
import pytest
from PIL import Image

from library.errors import ResourceError
from library.preparation import workers
from library.preparation.images import PreparedImage, RejectedImage, prepare_image
from library.preparation.sources.source import LabelledFile
from library.preparation.workers import CHUNK, prepare_all, prepare_chunk


def draw(folder, count):
    """Images of different sizes, so that a swap shows."""
    listed = []
    for number in range(count):
        pixels = np.full((16, 16 + number, 3), number, np.uint8)
        path = folder / f'{number}.png'
        Image.fromarray(pixels).save(path)
        listed.append(LabelledFile(str(path), path.name, 0, path.stat().st_size))
    return listed


def exit_at_once(contents, max_edge, quality):
    os.kill(os.getpid(), signal.SIGKILL)


def modules_of_the_worker(contents, max_edge, quality):
    return [sorted(sys.modules)] * len(contents)


def test_images_come_in_the_order_asked_for(tmp_path):
    images = draw(tmp_path, 3 * CHUNK + 1)
    outcomes = list(prepare_all(images, workers=2, max_edge=64, quality=80))
    assert [image for image, _ in outcomes] == images
    assert [outcome.width for _, outcome in outcomes] == [16 + number for number in range(25)]


def test_workers_give_what_one_process_gives(tmp_path):
    images = draw(tmp_path, 3)
    here = []
    for image in images:
        with open(image.path, 'rb') as file:
            here.append(prepare_image(file.read(), 64, 80))
    there = [outcome for _, outcome in prepare_all(images, 1, max_edge=64, quality=80)]
    assert there == here


def test_no_images_are_no_outcomes():
    assert list(prepare_all([], workers=2, max_edge=64, quality=80)) == []


def test_bad_images_and_unreadable_files_become_rejects(tmp_path):
    images = draw(tmp_path, 3)
    (tmp_path / '0.png').write_bytes(b'')
    (tmp_path / '1.png').unlink()
    outcomes = [outcome for _, outcome in prepare_all(images, 1, max_edge=64, quality=80)]
    assert [type(outcome) for outcome in outcomes] == [RejectedImage, RejectedImage, PreparedImage]
    assert [str(outcome) for outcome in outcomes[:2]] == ['empty file', 'no such file or directory']


def test_a_chunk_takes_paths_and_bytes(tmp_path):
    image = Image.new('RGB', (16, 16))
    file = io.BytesIO()
    image.save(file, 'JPEG')
    (tmp_path / '1.jpg').write_bytes(file.getvalue())
    outcomes = prepare_chunk([str(tmp_path / '1.jpg'), file.getvalue(), str(tmp_path)], 64, 80)
    assert outcomes[0] == outcomes[1] == PreparedImage(file.getvalue(), 16, 16, reencoded=False)
    assert str(outcomes[2]) == 'is a directory'


@pytest.mark.skipif(os.geteuid() == 0, reason='root may read every file')
def test_a_file_that_may_not_be_read_becomes_a_reject(tmp_path):
    (image,) = draw(tmp_path, 1)
    os.chmod(image.path, 0)
    (outcome,) = prepare_chunk([image.path], 64, 80)
    assert str(outcome) == 'permission denied'


def test_a_worker_that_dies_is_an_error_and_no_hang(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, 'prepare_chunk', exit_at_once)
    expected = r'^a worker process died \(killed, or out of memory\); nothing was written, run it'
    with pytest.raises(ResourceError, match=expected):
        list(prepare_all(draw(tmp_path, 1), workers=2, max_edge=64, quality=80))
    assert ResourceError.exit_code == 5


def test_a_worker_killed_midway_is_an_error_and_no_hang(tmp_path):
    older = set(multiprocessing.active_children())
    # More than one worker is handed ahead, so some are left when it dies.
    outcomes = prepare_all(draw(tmp_path, 6 * CHUNK), workers=1, max_edge=64, quality=80)
    next(outcomes)
    (worker,) = set(multiprocessing.active_children()) - older
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(ResourceError, match='a worker process died'):
        list(outcomes)


def test_workers_do_not_import_tensorflow(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, 'prepare_chunk', modules_of_the_worker)
    ((_, modules),) = prepare_all(draw(tmp_path, 1), workers=1, max_edge=64, quality=80)
    assert 'library.preparation.workers' in modules
    assert 'tensorflow' not in modules


@pytest.mark.parametrize('module', ['convert_dataset', 'library.preparation.converter'])
def test_what_workers_import_again_does_not_import_tensorflow(program, module):
    # A spawned process imports the program's file before anything else.
    code = f"import sys, {module}; sys.exit('tensorflow' in sys.modules)"
    assert program('-c', code).returncode == 0
