"""A clone builds into a package that can be installed, and started in any folder."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from email.parser import Parser

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT
from tests.source_files import source_files

# What lies in a used checkout and belongs into no package.
LITTER = (
    'out/current/checkpoints/checkpoint',
    'dataset/train/train.json',
    '.venv/lib/module.py',
    '.ruff_cache/module.py',
    'library/__pycache__/errors.cpython-311.pyc',
    'build/lib/old.py',
)
PROJECT = tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']
COMMANDS = {target: name for name, target in PROJECT['scripts'].items()}
RUN, CONVERT = COMMANDS['run:program'], COMMANDS['convert_dataset:program']


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    """(sdist, wheel) of a used checkout; `python -m build` makes the wheel of the sdist."""
    copy = tmp_path_factory.mktemp('copy')
    for name in source_files():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    for name in LITTER:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text('litter')
    words = ['-m', 'build', '--no-isolation', '--outdir', copy / 'dist']
    done = subprocess.run(
        [sys.executable, *words], cwd=copy, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (sdist,), (wheel,) = (copy / 'dist').glob('*.tar.gz'), (copy / 'dist').glob('*.whl')
    return sdist, wheel


@pytest.fixture(scope='module')
def installed(built, tmp_path_factory):
    """The folder of the commands of a fresh environment with the wheel in it.

    The packages that the project needs are those of this environment, not downloaded anew.
    """
    if importlib.util.find_spec('ensurepip') is None:
        pytest.skip('this Python has no ensurepip, so a fresh environment would have no pip')
    folder = tmp_path_factory.mktemp('environment')
    subprocess.run([sys.executable, '-m', 'venv', folder], check=True, timeout=300)
    python = folder / 'bin' / 'python'
    words = ['-m', 'pip', 'install', '--quiet', '--no-index', '--no-deps', built[1]]
    subprocess.run([python, *words], check=True, timeout=300)
    (packages,) = folder.glob('lib/python*/site-packages')
    (packages / 'outer.pth').write_text(sysconfig.get_path('purelib') + '\n')
    return python.parent


@pytest.fixture
def command(installed, tmp_path):
    """Runs a command of the fresh environment in an empty folder."""
    folder = tmp_path / 'empty'
    folder.mkdir()

    def run(name, *words):
        env = {key: value for key, value in os.environ.items() if key != 'PYTHONPATH'}
        return subprocess.run(
            [installed / name, *words],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return run


def test_the_sdist_holds_the_whole_clone_and_nothing_that_use_has_left_there(built):
    with tarfile.open(built[0]) as archive:
        names = {name.partition('/')[2] for name in archive.getnames()}
    assert source_files() - names == set()
    assert names & set(LITTER) == set()


def test_the_wheel_holds_all_packages_with_their_data_both_programs_and_both_files(built):
    packages = ('library/', 'project/', 'extras/')
    inside = {name for name in source_files() if name.startswith(packages)}
    # The tests of extras are in the sdist alone, and so are their pages.
    inside = {name for name in inside if '/tests/' not in name and not name.endswith('.md')}
    inside.discard('extras/conftest.py')
    inside |= {'run.py', 'convert_dataset.py', 'project/project.yaml'}
    inside.add('project/hyperparameters.yaml')
    with zipfile.ZipFile(built[1]) as archive:
        names = {name for name in archive.namelist() if '.dist-info/' not in name}
        assert names == inside
        for name in ('project.yaml', 'hyperparameters.yaml'):
            assert archive.read(f'project/{name}') == (ROOT / name).read_bytes()


def test_the_wheel_asks_for_what_requirements_in_lists(built):
    with zipfile.ZipFile(built[1]) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith('.dist-info/METADATA'))
        metadata = Parser().parsestr(archive.read(name).decode())
    lines = re.sub(r'(^|\s)#.*', '', (ROOT / 'requirements.in').read_text()).splitlines()
    wanted = {str(Requirement(line)) for line in lines if line.strip()}
    assert len(wanted) > 10
    assert {str(Requirement(text)) for text in metadata.get_all('Requires-Dist')} == wanted
    assert metadata['Requires-Python'] == '==3.11.*'
    assert metadata['License-Expression'] == PROJECT['license']


def test_the_installed_commands_work_in_any_folder(command, installed):
    explained = command(RUN, '--explain', '--config_set', 'thinkpadx201t')
    assert (explained.returncode, explained.stderr) == (0, '')
    rows = [' '.join(line.split()) for line in explained.stdout.splitlines()]
    (file,) = installed.parent.glob('lib/python*/site-packages/project/project.yaml')
    line = (ROOT / 'project.yaml').read_text().splitlines().index('thinkpadx201t:') + 3
    assert f'train_batch_size 10 {file}:{line}' in rows
    assert f'config_file project.yaml default (it is {file})' in rows
    for name, program in ((RUN, 'run.py'), (CONVERT, 'convert_dataset.py')):
        helped = command(name, '--help')
        assert (helped.returncode, helped.stderr) == (0, '')
        assert helped.stdout.startswith(f'usage: {program} ')
    refused = command(RUN, '--learning_rat', '1')
    assert refused.returncode == 2
    assert refused.stderr == "error: --learning_rat: unknown; did you mean 'learning_rate'?\n"


def test_files_of_the_working_folder_come_before_the_installed_ones(command, tmp_path):
    (tmp_path / 'empty' / 'project.yaml').write_text('default:\n  train_batch_size: 7\n')
    explained = command(RUN, '--explain')
    assert re.search(r'^ +train_batch_size +7 +project.yaml:2$', explained.stdout, re.MULTILINE)
    assert re.search(r'^ +config_file +project.yaml +default$', explained.stdout, re.MULTILINE)


def test_what_a_clone_holds_can_be_imported(command, installed):
    code = 'import library, project, run, convert_dataset, sys\n'
    code += 'print(*(m.__file__ for m in (library, project, run, convert_dataset)), sep="\\n")\n'
    code += 'assert "tensorflow" not in sys.modules'
    done = command('python', '-c', code)
    assert done.returncode == 0, done.stderr
    environment = str(installed.parent)
    assert [path.startswith(environment) for path in done.stdout.split()] == [True] * 4


def test_a_clone_that_is_started_from_elsewhere_takes_its_own_files(program, tmp_path):
    explained = program(ROOT / 'run.py', '--explain', cwd=tmp_path)
    assert (explained.returncode, explained.stderr) == (0, '')
    rows = [' '.join(line.split()) for line in explained.stdout.splitlines()]
    assert f'config_file project.yaml default (it is {ROOT}/project.yaml)' in rows
    assert any(row.startswith(f'learning_rate 0.0001 {ROOT}/hyperparameters.yaml:') for row in rows)
    assert list(tmp_path.iterdir()) == []
