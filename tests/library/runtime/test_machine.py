"""Machine, packages and code, as a log tells of them."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time

import pytest

from library.runtime import machine


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """Puts a program of this name and shell text before all others."""

    def make(name, text):
        folder = tmp_path / 'bin'
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(f'#!/bin/sh\n{text}\n')
        (folder / name).chmod(0o755)
        monkeypatch.setenv('PATH', f'{folder}{os.pathsep}{os.environ["PATH"]}')

    return make


@pytest.fixture
def repository(tmp_path):
    """A working copy with one commit."""
    folder = tmp_path / 'copy'
    folder.mkdir()
    (folder / 'code.py').write_text('one')
    git(folder, 'init', '--quiet')
    git(folder, 'add', '.')
    git(folder, 'commit', '--quiet', '--message', 'first')
    return folder


def git(folder, *words):
    who = ['-c', 'user.name=n', '-c', 'user.email=e@example.org', '-c', 'commit.gpgsign=false']
    done = subprocess.run(
        ['git', '-C', folder, *who, *words], check=True, capture_output=True, timeout=60
    )
    return done.stdout.decode().strip()


def test_the_description_is_json_without_the_machines_name():
    found = machine.describe()
    assert list(found) == [
        'system',
        'processor',
        'cores',
        'usable_cores',
        'memory_gib',
        'gpus',
        'versions',
        'git',
    ]
    assert 1 <= found['usable_cores'] <= found['cores'] == os.cpu_count()
    assert found['processor']
    assert 0.1 < found['memory_gib'] < 100_000
    assert set(found['versions']) == {'python', *machine.PACKAGES}
    assert found['versions']['tensorflow'] == '2.15.1'
    assert json.loads(json.dumps(found)) == found
    assert platform.node() not in map(str, found.values())


@pytest.mark.process
def test_it_imports_no_tensorflow(program):
    code = 'import sys; from library.runtime import machine; machine.describe(); '
    done = program('-c', f"{code}print('tensorflow' in sys.modules)")
    assert done.stdout == 'False\n'


def test_gpus_are_what_the_driver_lists(tool):
    tool('nvidia-smi', 'echo "NVIDIA A100, 80GB, 81920"; echo "NVIDIA GB10, [N/A]"')
    assert machine.gpus() == [
        {'name': 'NVIDIA A100, 80GB', 'memory_gib': 80.0},
        {'name': 'NVIDIA GB10', 'memory_gib': None},
    ]


@pytest.mark.parametrize('text', ['echo "NVIDIA-SMI has failed"; exit 9', 'exec sleep 60'])
def test_a_driver_that_fails_or_hangs_is_no_gpu(tool, monkeypatch, text):
    monkeypatch.setattr(machine, 'TIMEOUT_SECONDS', 0.2)
    tool('nvidia-smi', text)
    started = time.monotonic()
    assert machine.gpus() == []
    assert time.monotonic() - started < 20


def test_a_package_that_is_not_there_has_no_version():
    found = machine.versions(['numpy', 'no-such-package'])
    assert found['python'] == platform.python_version()
    assert re.match(r'\d+\.', found['numpy'])
    assert found['no-such-package'] is None


def test_a_commit_is_reported_and_whether_files_differ_from_it(repository):
    commit = git(repository, 'rev-parse', 'HEAD')
    assert machine.git_state(repository / 'code.py') == {'commit': commit, 'dirty': False}
    (repository / 'code.py').write_text('two')
    assert machine.git_state(repository / 'code.py') == {'commit': commit, 'dirty': True}


def test_files_that_git_does_not_know_count_unless_it_ignores_them(repository):
    (repository / '.git' / 'info' / 'exclude').write_text('out\n')
    (repository / 'out').write_text('')
    assert not machine.git_state(repository / 'code.py')['dirty']
    (repository / 'model.py').write_text('')
    assert machine.git_state(repository / 'code.py')['dirty']


def test_outside_a_repository_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv('GIT_CEILING_DIRECTORIES', str(tmp_path.parent))
    (tmp_path / 'code.py').write_text('')
    assert machine.git_state(tmp_path / 'code.py') is None


@pytest.mark.parametrize('ignored', [True, False])
def test_a_package_in_an_environment_inside_a_repository_is_not_of_its_commit(repository, ignored):
    package = repository / 'venv' / 'lib' / 'library'
    package.mkdir(parents=True)
    (package / 'code.py').write_text('one')
    if ignored:
        (repository / '.git' / 'info' / 'exclude').write_text('venv\n')
    assert machine.git_state(package / 'code.py') is None


def test_a_file_of_a_folder_inside_a_repository_is_of_its_commit(repository):
    (repository / 'scaffold').mkdir()
    (repository / 'scaffold' / 'code.py').write_text('')
    git(repository, 'add', '.')
    git(repository, 'commit', '--quiet', '--message', 'second')
    (repository / 'code.py').write_text('two')
    commit = git(repository, 'rev-parse', 'HEAD')
    found = machine.git_state(repository / 'scaffold' / 'code.py')
    assert found == {'commit': commit, 'dirty': True}


def test_before_the_first_commit_there_is_none(tmp_path):
    git(tmp_path, 'init', '--quiet')
    (tmp_path / 'code.py').write_text('')
    git(tmp_path, 'add', '.')
    assert machine.git_state(tmp_path / 'code.py') is None


def test_the_repository_of_a_git_hook_is_not_taken_for_ours(repository, tmp_path, monkeypatch):
    monkeypatch.setenv('GIT_DIR', str(tmp_path / 'other.git'))
    assert len(machine.git_state(repository / 'code.py')['commit']) == 40


def test_without_git_there_is_no_commit(repository, monkeypatch):
    monkeypatch.setenv('PATH', '')
    assert machine.git_state(repository / 'code.py') is None


def test_a_git_that_hangs_is_not_waited_for(tool, repository, monkeypatch):
    monkeypatch.setattr(machine, 'TIMEOUT_SECONDS', 0.2)
    tool('git', 'exec sleep 60')
    started = time.monotonic()
    assert machine.git_state(repository / 'code.py') is None
    assert time.monotonic() - started < 20


def test_a_mac_is_asked_for_its_processor(tool, monkeypatch):
    tool('sysctl', 'echo "Apple M2"')
    monkeypatch.setattr(sys, 'platform', 'darwin')
    assert machine.processor() == 'Apple M2'


def test_unknown_memory_is_none(monkeypatch):
    monkeypatch.setattr(os, 'sysconf_names', {})
    assert machine.memory_bytes() is None
