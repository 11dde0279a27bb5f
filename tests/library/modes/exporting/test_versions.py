"""Versions: their numbers, and what failures, kills and neighbours leave of them."""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import tensorflow as tf

from library import files
from library.errors import ResourceError
from library.modes.exporting.versions import add_version, read_records
from tests.processes import wait_until
from tests.served import versions

pytestmark = pytest.mark.graph


def fill(folder):
    os.makedirs(files.join(folder, 'variables'))
    for name in ('saved_model.pb', 'variables/variables.index', 'export.json'):
        files.write_atomically(files.join(folder, name), b'{"run_id": "a"}')


def test_a_version_is_named_by_the_second_it_was_made_in(tmp_path):
    before = int(time.time())
    version = add_version(str(tmp_path / 'models'), fill)
    assert before <= int(os.path.basename(version)) <= time.time()
    assert sorted(os.listdir(version)) == ['export.json', 'saved_model.pb', 'variables']


def test_a_number_is_greater_than_any_there(tmp_path):
    (tmp_path / '99999999999').mkdir()
    (tmp_path / '5').mkdir()
    numbers = [int(os.path.basename(add_version(str(tmp_path), fill))) for _ in range(2)]
    assert numbers == [100000000000, 100000000001]


def test_a_full_disk_leaves_nothing_half(tmp_path):
    def run_full(folder):
        fill(folder)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), folder)

    with pytest.raises(ResourceError) as error:
        add_version(str(tmp_path), run_full)
    assert str(error.value) == f'{tmp_path}: no space left for an exported model'
    assert os.listdir(tmp_path) == ['.lock']


def test_only_leftovers_of_an_export_are_removed(tmp_path):
    for name in ('unfinished-17', 'unfinished-mine', '17', 'notes'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'file').write_text('')
    add_version(str(tmp_path), fill)
    kept = [name for name in sorted(os.listdir(tmp_path)) if not name.startswith('1')]
    assert kept == ['.lock', 'notes', 'unfinished-mine']
    assert (tmp_path / '17' / 'file').exists()


def test_a_second_export_waits_for_the_first_and_spares_its_folder(tmp_path, capsys):
    started, may_end, texts = threading.Event(), threading.Event(), []

    def fill_slowly(folder):
        fill(folder)
        started.set()
        assert may_end.wait(60)

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(add_version, str(tmp_path), fill_slowly)
        assert started.wait(60)
        second = threads.submit(add_version, str(tmp_path), fill)
        wait_until(lambda: texts.append(capsys.readouterr().out) or ''.join(texts), 'a second wait')
        assert not second.done()
        (unfinished,) = tmp_path.glob('unfinished-*')
        assert (unfinished / 'saved_model.pb').exists()
        may_end.set()
        assert int(os.path.basename(first.result(60))) < int(os.path.basename(second.result(60)))
    assert len(versions(tmp_path)) == 2
    assert ''.join(texts) == f'waiting for process {os.getpid()}, which exports into {tmp_path}\n'


def test_a_remote_version_gets_its_program_last(monkeypatch):
    written = []
    write = files.write_atomically

    def note(path, data):
        written.append(path)
        write(path, data)

    monkeypatch.setattr(files, 'write_atomically', note)
    version = add_version('ram://last', fill)
    remote = [path for path in written if path.startswith('ram://')]
    assert remote == [
        f'{version}/{name}'
        for name in ('export.json', 'variables/variables.index', 'saved_model.pb')
    ]


def test_a_remote_leftover_is_removed_once_nobody_can_be_writing_it():
    for number, created in ((5, 0), (6, time.time())):
        folder = f'ram://leftovers/{number}'
        tf.io.gfile.makedirs(folder)
        text = json.dumps({'created': created, 'run_id': 'b'})
        files.write_atomically(f'{folder}/export.json', text.encode())
    add_version('ram://leftovers', fill)
    assert not tf.io.gfile.exists('ram://leftovers/5')
    assert tf.io.gfile.exists('ram://leftovers/6')
    assert read_records('ram://leftovers') == [{'run_id': 'a'}]


def test_versions_of_other_programs_have_no_records(tmp_path):
    add_version(str(tmp_path), fill)
    (tmp_path / '7').mkdir()
    (tmp_path / '8').mkdir()
    (tmp_path / '8' / 'export.json').write_text('{')
    assert read_records(str(tmp_path)) == [{'run_id': 'a'}]
