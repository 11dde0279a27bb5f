"""What the README tells people to write and to type works as it stands."""

from __future__ import annotations

import json
import re

import pytest
from conftest import ROOT, copy_project

from library.config.command_line import parse
from library.config.hparams import resolve
from project.options import CATALOG
from run import MODES

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
    mine = folder / 'project' / 'models' / 'mine'
    mine.mkdir()
    (mine / '__init__.py').write_text('')
    for name in ('options.py', 'model.py'):
        (mine / name).write_text(python_file(f'project/models/mine/{name}'))
    lines = python_file('project/models/__init__.py').splitlines()
    registry = folder / 'project' / 'models' / '__init__.py'
    import_line = 'from project.models.simple.options import SimpleOptions\n'
    (entry,) = (line for line in lines if line.startswith("    'mine'"))
    text = registry.read_text().replace(import_line, f'{lines[1]}\n{import_line}')
    registry.write_text(text.replace('\n}\n', f'\n{entry}\n}}\n'))
    return folder


def test_a_model_of_your_own_trains_and_is_evaluated_from_its_folder(clone, data_dir, program):
    words = ['--data_dir', data_dir, '--model', 'mine', '--width', 7, '--image_size', 16]
    words += ['--train_epochs', 2, '--epochs_between_evals', 2, '--model_dir', 'out/mine']
    trained = program(clone / 'run.py', *words, cwd=clone)
    assert trained.returncode == 0, trained.stderr
    evaluated = program(clone / 'run.py', 'evaluate', '--model_dir', 'out/mine', cwd=clone)
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


def folder_of_extra(name):
    return (ROOT / 'extras' / name.split('/')[1]).is_dir()


def test_every_file_that_the_readme_names_is_there():
    named = re.findall(r'`((?:project|library|docs)/[\w/.]*)`', README)
    named += re.findall(r'\]\(((?!http)[\w/.]+)\)', README)
    assert len(named) >= 10
    # Who deletes an extra need not change this page.
    named = [name for name in named if not name.startswith('extras/') or folder_of_extra(name)]
    missing = [name for name in named if not (ROOT / name).exists() and 'mine' not in name]
    assert missing == []
