"""environment.json."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

import pytest

from library.hooks.environment_log import EnvironmentLogHook, read_starts
from library.hooks.watched import note_parameters
from tests.library.hooks.tiny_training import train

HERE = {'processor': 'one', 'cores': 2}
ELSEWHERE = {'processor': 'another', 'cores': 4}


@pytest.fixture(autouse=True)
def command(monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['run.py', 'train', '--model_dir', 'my runs/one'])


def start(folder, machine=HERE, step=0, trained=3):
    hook = EnvironmentLogHook(str(folder), lambda: machine)
    train([hook], 1, start=step, build=lambda _: note_parameters(trained, 5))


def test_a_start_says_when_how_on_what_and_of_how_many_parameters(tmp_path):
    start(tmp_path, step=7)
    (found,) = json.loads((tmp_path / 'environment.json').read_text())['starts']
    time = datetime.fromisoformat(found.pop('time'))
    assert 0 <= (datetime.now(UTC) - time).total_seconds() < 60
    assert found == {
        'step': 7,
        'command': "run.py train --model_dir 'my runs/one'",
        'processor': 'one',
        'cores': 2,
        'parameters': {'trained': 3, 'all': 5},
    }


def test_a_start_like_the_last_one_is_not_listed_again(tmp_path):
    start(tmp_path)
    before = (tmp_path / 'environment.json').read_bytes()
    start(tmp_path, step=1)
    assert (tmp_path / 'environment.json').read_bytes() == before


def test_a_resume_on_another_machine_keeps_the_first(tmp_path):
    start(tmp_path)
    start(tmp_path, ELSEWHERE, step=1)
    start(tmp_path, step=2)
    assert [(each['step'], each['cores']) for each in read_starts(str(tmp_path))] == [
        (0, 2),
        (1, 4),
        (2, 2),
    ]


def test_another_command_or_another_model_is_another_start(tmp_path, monkeypatch):
    start(tmp_path)
    start(tmp_path, trained=4)
    monkeypatch.setattr(sys, 'argv', ['run.py'])
    start(tmp_path, trained=4)
    assert [each['command'] for each in read_starts(str(tmp_path))][1:] == [
        "run.py train --model_dir 'my runs/one'",
        'run.py',
    ]


@pytest.mark.parametrize('content', ['', '[]', '{"starts": 3}', '{"starts": [1, null]}', '\xff'])
def test_a_spoiled_file_does_not_stop_a_run(tmp_path, content):
    (tmp_path / 'environment.json').write_bytes(content.encode('latin-1'))
    start(tmp_path)
    assert [each['cores'] for each in read_starts(str(tmp_path))] == [2]


def test_a_word_that_is_no_text_can_be_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['run.py', 'photos\udcff'])
    start(tmp_path)
    assert read_starts(str(tmp_path))[0]['command'] == "run.py 'photos\udcff'"


def test_a_remote_folder_has_its_log_too():
    start('ram://environment/run')
    assert [each['cores'] for each in read_starts('ram://environment/run')] == [2]
