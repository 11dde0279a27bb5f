"""Planned shards to written ones, by worker processes of this machine."""

from __future__ import annotations

import os

import pytest

from library.errors import ResourceError
from library.preparation import workers
from library.preparation.digests import content_digests
from library.preparation.encoding_options import EncodingOptions
from library.preparation.plan import plan_shards
from library.preparation.pool import write_on_this_machine
from library.records.shards import shard_names
from tests.conftest import convert_folder, draw_images
from tests.converting import flags
from tests.forked import run_forked
from tests.library.preparation.conversions import Writer, contents, convert_images, list_images
from tests.library.preparation.dying_workers import POISON, die_of_poison, exit_at_once

pytestmark = pytest.mark.graph

ENCODING = EncodingOptions(64)

# Workers are started by a Python that is not there; so is Python's own tracker, unless it runs.
WITHOUT_PYTHON = """
import multiprocessing
from multiprocessing import resource_tracker
import convert_dataset
from library.runtime.entry import run_program

tracked, *argv = argv
if tracked == 'True':
    resource_tracker.ensure_running()
multiprocessing.set_executable('/nowhere/python')
status = run_program(convert_dataset.main, argv)
"""


@pytest.fixture
def images(tmp_path):
    """Three classes of eight images, two of them bad."""
    folder = draw_images(tmp_path / 'images', per_class=8)
    (folder / 'red' / '0.jpg').write_bytes(b'')
    os.mkfifo(folder / 'blue' / 'pipe.jpg')
    return folder


def planned(images, folder, num_shards=5):
    folder.mkdir()
    listing, output = list_images(images, folder)
    return plan_shards(
        output.target('train'),
        listing.images,
        content_digests(listing.images),
        listing.class_names,
        ENCODING,
        num_shards=num_shards,
        seed=0,
    )


@pytest.mark.parametrize('count', [1, 3])
def test_any_number_of_workers_writes_what_one_process_writes(images, tmp_path, count):
    alone = list(Writer()(planned(images, tmp_path / 'alone'), ENCODING))
    pooled = list(write_on_this_machine(planned(images, tmp_path / 'pool'), ENCODING, count))
    assert pooled == alone
    assert contents(tmp_path / 'pool') == contents(tmp_path / 'alone')


def test_shards_are_finished_one_after_the_other(images, tmp_path):
    shards = planned(images, tmp_path / 'out')
    finished = write_on_this_machine(shards, ENCODING, 1)
    for number, _ in enumerate(finished, 1):
        assert len(contents(tmp_path / 'out')) == 2 * number


def test_no_shards_are_no_work():
    assert list(write_on_this_machine([], ENCODING, 1)) == []


def test_a_dead_worker_leaves_nothing_unfinished(images, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, 'prepare_chunk', exit_at_once)
    with pytest.raises(ResourceError, match='a worker process died'):
        convert_folder(images, tmp_path / 'out')
    assert contents(tmp_path / 'out') == {}


def test_what_was_finished_when_a_worker_died_is_kept(images, tmp_path, monkeypatch):
    *_, last = planned(images, tmp_path / 'plan')
    path, good = last.images[-1].content, (images / 'red' / '1.jpg').read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(workers, 'prepare_chunk', die_of_poison)
        with open(path, 'wb') as file:
            file.write(POISON)
        with pytest.raises(ResourceError, match='a worker process died'):
            convert_folder(images, tmp_path / 'out', num_shards=5)
    assert sorted(contents(tmp_path / 'out')) == sorted(
        f'{name}.partial{end}' for name in shard_names('train', 5)[:4] for end in ('', '.json')
    )
    with open(path, 'wb') as file:
        file.write(good + b'no duplicate')
    writer = Writer()
    assert convert_images(images, tmp_path / 'out', writer=writer, num_shards=5).kept == 4
    assert writer.prepared == [image.filename for image in last.images]


@pytest.mark.process
@pytest.mark.parametrize('tracked', [True, False])
def test_workers_that_cannot_start_are_exit_code_5(tmp_path, tracked):
    images, output = draw_images(tmp_path / 'images'), tmp_path / 'out'
    message = (
        'error: a worker process died (killed, or out of memory); run it again: what is done is '
        'kept'
    )
    # How it shows is a matter of luck.
    for _ in range(4):
        status, said = run_forked(WITHOUT_PYTHON, tracked, *flags(images, output, workers=2))
        lines = said.splitlines()
        assert (status, lines.count(message), contents(output)) == (5, 1, {})
        # Python's own pool may stumble once more when the interpreter ends.
        assert lines[0] == message or not tracked
