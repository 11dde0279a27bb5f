"""The Dockerfile asks for what is there, as far as that shows without an engine."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import PurePosixPath

import pytest

import run
from library.config.command_line import parse
from project.options import CATALOG
from tests.conftest import ROOT

pytestmark = pytest.mark.unit

# What the image holds, of all that may lie in a clone.
IN_IMAGE = {'library', 'project', 'extras', 'run.py', 'convert_dataset.py', 'project.yaml'}
IN_IMAGE |= {'hyperparameters.yaml', 'requirements.txt', 'requirements-cuda.txt', 'LICENSE'}
# Who deletes all extras may delete their folder too; compileall passes over what is not there.
IN_IMAGE -= {'extras'} - {path.name for path in ROOT.iterdir()}


def instructions():
    """(name, text) of each instruction of the Dockerfile."""
    text = re.sub(r'^\s*#.*\n', '', (ROOT / 'Dockerfile').read_text(), flags=re.MULTILINE)
    lines = [line for line in text.replace('\\\n', ' ').splitlines() if line.strip()]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1].strip()) for line in lines]


def texts_of(name):
    return [text for each, text in instructions() if each == name]


def place_of(name, part):
    """The number of the first instruction of this name that says this."""
    return next(
        number
        for number, (each, text) in enumerate(instructions())
        if each == name and part in text
    )


def is_ignored(path):
    """Whether .dockerignore keeps a path out: the last line that fits it, or a folder of it."""
    ignored = False
    for line in (ROOT / '.dockerignore').read_text().splitlines():
        if not line.strip() or line.startswith('#'):
            continue
        pattern = re.escape(line.lstrip('!')).replace(r'\*\*/', '(.*/)?').replace(r'\*', '[^/]*')
        inside = [path, *map(str, PurePosixPath(path).parents)]
        if any(re.fullmatch(pattern, each) for each in inside):
            ignored = not line.startswith('!')
    return ignored


def test_only_instructions_that_docker_knows_are_used():
    known = ['FROM', 'ARG', 'ENV', 'WORKDIR', 'COPY', 'RUN', 'USER', 'ENTRYPOINT', 'CMD']
    assert [name for name, _ in instructions() if name not in known] == []
    assert instructions()[0][0] == 'FROM'


def test_the_image_starts_from_one_slim_python_of_the_projects_version():
    (base,) = texts_of('FROM')
    assert re.fullmatch(r'python:3\.11\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?', base)


@pytest.mark.parametrize('name', ['Dockerfile', '.dockerignore'])
def test_the_image_names_no_address_of_a_registry(name):
    found = re.findall(r'://|index-url|find-links|trusted-host|pypi', (ROOT / name).read_text())
    assert found == []


def test_packages_come_from_the_hashed_locks_and_before_the_code():
    (lock,) = (text.removeprefix('LOCK=') for text in texts_of('ARG'))
    locks, code = (shlex.split(text) for text in texts_of('COPY'))
    assert code == ['.', '.']
    assert lock == 'requirements.txt'
    assert sorted(locks) == ['./', 'requirements-cuda.txt', 'requirements.txt']
    install = place_of('RUN', 'pip install')
    assert place_of('COPY', 'requirements.txt') < install < place_of('COPY', '. .')
    words = shlex.split(instructions()[install][1])
    assert words[-2:] == ['-r', '$LOCK']
    assert {'--require-hashes', '--no-cache-dir', '--only-binary'} <= set(words)


def test_the_image_runs_as_a_user_without_rights_that_kubernetes_can_check():
    (user,) = texts_of('USER')
    assert user == '1000:1000'
    assert f'--uid {user.partition(":")[0]} ' in instructions()[place_of('RUN', 'useradd')][1]
    after = {name for name, _ in instructions()[place_of('USER', user) + 1 :]}
    assert after == {'ENTRYPOINT', 'CMD'}


def test_signals_reach_the_program_as_no_shell_stands_before_it():
    (entry,), (folder,) = texts_of('ENTRYPOINT'), texts_of('WORKDIR')
    program, script = json.loads(entry)
    assert program == 'python'
    assert (ROOT / PurePosixPath(script).relative_to(folder)).samefile(run.__file__)
    (default,) = texts_of('CMD')
    assert parse(json.loads(default), CATALOG, list(run.MODES)).wants_help


def test_what_is_compiled_and_copied_is_in_the_image():
    compiled = instructions()[place_of('RUN', 'compileall')][1].split('-q ')[1].split()
    locks = shlex.split(texts_of('COPY')[0])[:-1]
    assert [name for name in [*compiled, *locks] if is_ignored(name)] == []
    gone = {name for name in [*compiled, *locks] if not (ROOT / name).exists()}
    assert gone <= {'extras'}


def test_nothing_but_code_sets_and_locks_goes_into_the_image():
    assert {path.name for path in ROOT.iterdir() if not is_ignored(path.name)} == IN_IMAGE
    kept_out = ['dataset/train/train.json', 'out/current/checkpoints/checkpoint', '.git/config']
    kept_out += ['.venv/bin/python', 'photos/cat/1.jpg', 'key.json', 'shared/data', 'tests/x.py']
    kept_out += ['extras/conftest.py', 'extras/cluster/tests/one_task.py']
    kept_out += ['library/__pycache__/files.pyc', 'library/modes/__pycache__/train.pyc']
    assert [path for path in kept_out if not is_ignored(path)] == []
    assert not is_ignored('library/modes/train.py')


@pytest.mark.process
@pytest.mark.parametrize('script', ['run.py', 'convert_dataset.py'])
def test_what_the_image_holds_is_enough_for_its_programs(script, tmp_path):
    app, elsewhere = tmp_path / 'app', tmp_path / 'elsewhere'
    elsewhere.mkdir()
    for name in IN_IMAGE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        app.mkdir(exist_ok=True)
        copy(ROOT / name, app / name)
    words = ['--explain', '--model', 'simple'] if script == 'run.py' else ['--help']
    done = subprocess.run(
        [sys.executable, app / script, *words],
        cwd=elsewhere,
        env={'PATH': os.environ['PATH'], 'PYTHONPYCACHEPREFIX': str(tmp_path / 'compiled')},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, '')
    assert str(app / 'project.yaml') in done.stdout or script != 'run.py'
