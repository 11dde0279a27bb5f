"""Without packages a program says in one line what to do."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from library.installation import report_missing_packages, start_of
from tests.conftest import ROOT

pytestmark = pytest.mark.unit


@pytest.fixture
def clone(tmp_path):
    """A folder with the programs, before `make setup`."""
    for name in ('run.py', 'convert_dataset.py'):
        shutil.copy(ROOT / name, tmp_path)
    for name in ('library', 'project', 'extras'):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def started(clone, *words):
    # -S leaves out site-packages, -B writes no byte code through the links.
    words = [sys.executable, '-S', '-B', *words]
    return subprocess.run(words, cwd=clone, capture_output=True, text=True, check=False)


@pytest.mark.parametrize('words', [('run.py',), ('run.py', '--help'), ('convert_dataset.py',)])
def test_before_the_set_up_one_line_names_it(clone, words):
    done = started(clone, *words)
    assert (done.returncode, done.stdout) == (5, '')
    assert done.stderr == (
        'error: this Python has no yaml, etils, numpy, PIL: `make setup`, then '
        f'`.venv/bin/python {words[0]}`\n'
    )


def test_after_the_set_up_the_line_names_the_python_that_has_them(clone):
    (clone / '.venv' / 'bin').mkdir(parents=True)
    (clone / '.venv' / 'bin' / 'python').touch()
    done = started(clone, 'run.py')
    assert done.returncode == 5
    assert done.stderr.endswith('PIL: `.venv/bin/python run.py`\n')


def test_nothing_is_said_where_the_packages_are(capsys):
    assert report_missing_packages() == 0
    assert capsys.readouterr().err == ''


def test_a_command_starts_with_the_python_that_runs(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'executable', str(tmp_path / '.venv' / 'bin' / 'python'))
    assert start_of('run.py') == '.venv/bin/python run.py'
    monkeypatch.setattr(sys, 'executable', '/opt/conda/bin/python')
    assert start_of('run.py') == '/opt/conda/bin/python run.py'
