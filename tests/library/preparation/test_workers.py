"""Image files to prepared images, by worker processes."""

from __future__ import annotations

import errno
import io
import multiprocessing
import os
import pickle
import signal
import sys

import numpy as np
import pytest
from PIL import Image

from library import files
from library.errors import ResourceError
from library.preparation import workers
from library.preparation.encoding_options import EncodingOptions
from library.preparation.images import PreparedImage, RejectedImage, prepare_image
from library.preparation.workers import CHUNK, prepare, prepare_all, prepare_chunk
from library.records.listing import LabelledImage, Unusable
from tests.conftest import ROOT
from tests.library.preparation.dying_workers import exit_at_once

ENCODING = EncodingOptions(64)


def draw(folder, count):
    """Images of different sizes, so that a swap shows."""
    listed = []
    for number in range(count):
        pixels = np.full((16, 16 + number, 3), number, np.uint8)
        path = folder / f'{number}.png'
        Image.fromarray(pixels).save(path)
        listed.append(LabelledImage(path.name, 0, str(path), path.stat().st_size))
    return listed


def jpeg():
    file = io.BytesIO()
    Image.new('RGB', (16, 16)).save(file, 'JPEG')
    return file.getvalue()


def out_of_files(contents, encoding):
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), contents[0])


def modules_of_the_worker(contents, encoding):
    return [sorted(sys.modules)] * len(contents)


@pytest.mark.process
def test_images_come_in_the_order_asked_for(tmp_path):
    images = draw(tmp_path, 3 * CHUNK + 1)
    outcomes = list(prepare_all(images, 2, ENCODING))
    assert [image for image, _ in outcomes] == images
    assert [outcome.width for _, outcome in outcomes] == [16 + number for number in range(25)]


@pytest.mark.process
def test_workers_give_what_one_process_gives(tmp_path):
    images = draw(tmp_path, 3)
    here = []
    for image in images:
        with open(image.content, 'rb') as file:
            here.append(prepare_image(file.read(), 64, 80))
    assert [outcome for _, outcome in prepare_all(images, 1, ENCODING)] == here


@pytest.mark.process
def test_the_encoding_options_reach_the_workers(tmp_path):
    images = draw(tmp_path, 1)
    encoding = EncodingOptions(12, quality=1, formats=('PNG',))
    ((_, outcome),) = prepare_all(images, 1, encoding)
    assert (outcome.width, outcome.height) == (12, 12)
    ((_, outcome),) = prepare_all(images, 1, EncodingOptions(64, formats=('JPEG',)))
    assert str(outcome) == 'not an image (JPEG)'


@pytest.mark.process
def test_workers_do_not_import_the_program_that_starts_them(program, tmp_path):
    images = draw(tmp_path, 2)
    script = tmp_path / 'program.py'
    script.write_text(
        'import sys\n'
        f'open({str(tmp_path / "imported")!r}, "a").write(__name__)\n'
        'from library.preparation.encoding_options import EncodingOptions\n'
        'from library.preparation.workers import prepare_all\n'
        'from library.records.listing import LabelledImage\n'
        'if __name__ == "__main__":\n'
        f'    images = [LabelledImage(path, 0, path, 1) for path in sys.argv[1:]]\n'
        '    print(len(list(prepare_all(images, 2, EncodingOptions(64)))))\n'
        '    print(sys.modules["__main__"].__file__ == __file__)\n'
    )
    done = program(script, *(image.content for image in images), PYTHONPATH=str(ROOT))
    assert (done.stdout, done.stderr) == ('2\nTrue\n', '')
    assert (tmp_path / 'imported').read_text() == '__main__'


def test_no_images_are_no_outcomes():
    assert list(prepare_all([], 2, ENCODING)) == []


@pytest.mark.process
def test_bad_images_and_unreadable_files_become_rejects(tmp_path):
    images = draw(tmp_path, 3)
    (tmp_path / '0.png').write_bytes(b'')
    (tmp_path / '1.png').unlink()
    images.append(LabelledImage('pipe.jpg', 0, Unusable('not a regular file'), 0))
    outcomes = [outcome for _, outcome in prepare_all(images, 1, ENCODING)]
    kinds = [RejectedImage, RejectedImage, PreparedImage, RejectedImage]
    assert [type(outcome) for outcome in outcomes] == kinds
    assert [str(outcomes[n]) for n in (0, 1, 3)] == [
        'empty file',
        'no such file or directory',
        'not a regular file',
    ]


@pytest.mark.process
def test_an_image_may_be_a_path_a_files_bytes_or_pixels(tmp_path):
    data = jpeg()
    (tmp_path / '1.jpg').write_bytes(data)
    pixels = np.zeros((16, 16), np.uint8)
    contents = [str(tmp_path / '1.jpg'), data, pixels, str(tmp_path)]
    images = [LabelledImage(str(number), 0, each, 1) for number, each in enumerate(contents)]
    outcomes = [outcome for _, outcome in prepare_all(images, 1, ENCODING)]
    assert outcomes[0] == outcomes[1] == PreparedImage(data, 16, 16, reencoded=False)
    assert (outcomes[2].height, outcomes[2].width, outcomes[2].reencoded) == (16, 16, True)
    assert str(outcomes[3]) == 'is a directory'
    assert prepare_chunk(contents[:2], ENCODING) == outcomes[:2]


@pytest.mark.graph
def test_images_in_a_remote_store_are_read_for_the_workers(tmp_path):
    folder = f'ram://{tmp_path}'
    files.make_folder(folder)
    files.write_atomically(f'{folder}/1.jpg', jpeg())
    contents = [f'{folder}/1.jpg', f'{folder}/gone.jpg']
    images = [LabelledImage(str(number), 0, each, 1) for number, each in enumerate(contents)]
    good, bad = [outcome for _, outcome in prepare_all(images, 1, ENCODING)]
    assert good == PreparedImage(jpeg(), 16, 16, reencoded=False)
    assert str(bad) == 'no such file or directory'


@pytest.mark.skipif(os.geteuid() == 0, reason='root may read every file')
def test_a_file_that_may_not_be_read_becomes_a_reject(tmp_path):
    (image,) = draw(tmp_path, 1)
    os.chmod(image.content, 0)
    assert str(prepare(image.content, ENCODING)) == 'permission denied'


@pytest.mark.parametrize('number', [errno.EIO, errno.ELOOP, errno.ENAMETOOLONG])
def test_any_failure_to_read_one_file_becomes_a_reject(monkeypatch, number):
    def fail(path):
        raise OSError(number, os.strerror(number), path)

    monkeypatch.setattr(files, 'read_bytes', fail)
    assert str(prepare('a.jpg', ENCODING)) == os.strerror(number).lower()


@pytest.mark.parametrize('number', [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_a_machine_that_is_out_of_something_blames_no_image(monkeypatch, number):
    def fail(path):
        raise OSError(number, os.strerror(number), path)

    monkeypatch.setattr(files, 'read_bytes', fail)
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        prepare('a.jpg', ENCODING)
    assert caught.value.errno == number


@pytest.mark.process
def test_a_worker_that_may_open_no_more_files_ends_it_and_names_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, 'prepare_chunk', out_of_files)
    images = draw(tmp_path, 1)
    with pytest.raises(OSError, match='Too many open files') as caught:
        list(prepare_all(images, 1, ENCODING))
    assert caught.value.filename == images[0].content


@pytest.mark.process
def test_a_worker_that_dies_is_an_error_and_no_hang(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, 'prepare_chunk', exit_at_once)
    expected = (
        r'^a worker process died \(killed, or out of memory\); run it again: what is done is kept$'
    )
    with pytest.raises(ResourceError, match=expected):
        list(prepare_all(draw(tmp_path, 1), 2, ENCODING))
    assert ResourceError.exit_code == 5


@pytest.mark.process
def test_a_worker_killed_midway_is_an_error_and_no_hang(tmp_path):
    older = set(multiprocessing.active_children())
    # More than one worker is handed ahead, so some are left when it dies.
    outcomes = prepare_all(draw(tmp_path, 6 * CHUNK), 1, ENCODING)
    next(outcomes)
    (worker,) = set(multiprocessing.active_children()) - older
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(ResourceError, match='a worker process died'):
        list(outcomes)


def test_whatever_becomes_of_an_image_travels_between_processes():
    outcome = pickle.loads(pickle.dumps(prepare(b'', ENCODING)))
    assert (type(outcome), str(outcome)) == (RejectedImage, 'empty file')
    assert pickle.loads(pickle.dumps(ENCODING)) == ENCODING


@pytest.mark.process
def test_workers_do_not_import_tensorflow(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, 'prepare_chunk', modules_of_the_worker)
    ((_, modules),) = prepare_all(draw(tmp_path, 1), 1, ENCODING)
    assert 'library.preparation.workers' in modules
    assert 'tensorflow' not in modules


@pytest.mark.process
@pytest.mark.parametrize(
    'module', ['convert_dataset', 'library.preparation.converter', 'library.preparation.pool']
)
def test_what_workers_import_again_does_not_import_tensorflow(program, module):
    # A spawned process imports the program's file before anything else.
    code = f"import sys, {module}; sys.exit('tensorflow' in sys.modules)"
    assert program('-c', code).returncode == 0
