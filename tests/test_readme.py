"""What the README tells people to write and to type works as it stands."""

from __future__ import annotations

import json
import re

import pytest

from library.config.command_line import parse
from library.config.hparams import resolve
from project.options import CATALOG
from run import MODES
from tests.conftest import ROOT, copy_project
from tests.forked import forked

pytestmark = pytest.mark.unit

README = (ROOT / 'README.md').read_text()
BLOCKS = re.findall(r'^```(\w*)\n(.*?)^```', README, flags=re.MULTILINE | re.DOTALL)


def python_file(path):
    """The code block that names this file in its first line."""
    (code,) = (code for kind, code in BLOCKS if kind == 'python' and code.startswith(f'# {path}\n'))
    return code


@pytest.fixture(scope='module')
def clone(tmp_path_factory):
    """A copy of the project with the README's own model in it."""
    folder = copy_project(tmp_path_factory.mktemp('clone'), 'run.py')
    models = folder / 'project' / 'models'
    (models / 'mine.py').write_text(python_file('project/models/mine.py'))
    before, line = python_file('project/models/__init__.py').splitlines(keepends=True)[1:]
    registry = (models / '__init__.py').read_text()
    assert registry.count(before) == 1
    (models / '__init__.py').write_text(registry.replace(before, before + line))
    return folder


@pytest.mark.process
def test_a_model_of_your_own_trains_and_is_evaluated_from_its_folder(clone, data_dir):
    words = ['--data_dir', data_dir, '--model', 'mine', '--width', 7, '--image_size', 16]
    words += ['--train_epochs', 2, '--epochs_between_evals', 2, '--model_dir', 'out/mine']
    trained = forked(clone / 'run.py', *words, cwd=clone)
    assert trained.returncode == 0, trained.stderr
    evaluated = forked(clone / 'run.py', 'evaluate', '--model_dir', 'out/mine', cwd=clone)
    assert evaluated.returncode == 0, evaluated.stderr
    metrics = json.loads((clone / 'out' / 'mine' / 'eval' / 'metrics.json').read_text())
    assert metrics['examples'] == 15
    assert 'width: 7' in (clone / 'out' / 'mine' / 'hparams.yaml').read_text()


def test_every_flag_of_run_in_the_readme_is_one():
    text = README.replace('\\\n', ' ')
    commands = re.findall(r'^\.venv/bin/python run\.py (.*?)(?:  +#.*)?$', text, flags=re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        line = parse(command.split(), CATALOG, list(MODES))
        if not line.wants_help:
            resolve(CATALOG, line)


def is_of_deleted_extra(name):
    parts = name.split('/')
    return parts[0] == 'extras' and not ROOT.joinpath(*parts[:2]).exists()


def test_every_file_that_the_readme_names_is_there():
    named = re.findall(r'`((?:project|library|docs)/[\w/.]*)`', README)
    named += re.findall(r'\]\(((?!http)[\w/.]+)\)', README)
    assert len(named) >= 10
    # An extra may be deleted.
    there = {name for name in named if (ROOT / name).exists() or is_of_deleted_extra(name)}
    missing = [name for name in named if name not in there and 'mine' not in name]
    assert missing == []
