"""The commands on the page do again what was done."""

from __future__ import annotations

import shlex

import pytest

import run
from extras.report_and_compare.report.commands import commands_of
from extras.report_and_compare.tests.reported import hparams_of, make_run
from library.config.command_line import parse
from library.config.hparams import resolve
from library.runs.directory import find_run

pytestmark = pytest.mark.graph


def parsed(command):
    """What a shell would hand to run.py."""
    python, program, *words = shlex.split(command.replace('\\\n', ' '))
    assert (python, program) == ('.venv/bin/python', 'run.py')
    return parse(words, run.CATALOG, tuple(run.MODES))


@pytest.fixture
def words(tmp_path):
    return [
        *('--validation_name', "it's new", '--no_report', '--eval_batch_size', 'none'),
        *('--fail_below', 'accuracy=0.5,auc=0.1', '--validation_checkpoint', 'best'),
        *('--best_model_dir', str(tmp_path / 'a $b'), '--data_dir=--odd'),
    ]


def test_an_evaluation_is_repeated_with_all_its_values(tmp_path, words):
    hparams = hparams_of(make_run(tmp_path / 'run'), *words)
    line = parsed(commands_of(hparams, [], 'run.py')['Evaluate'])
    assert line.mode == 'evaluate'
    saved = find_run(run.CATALOG, line, training=False).saved
    assert resolve(run.CATALOG, line, saved).values() == hparams.values()


def test_predict_and_export_take_the_same_checkpoint(tmp_path, words):
    commands = commands_of(hparams_of(make_run(tmp_path / 'run'), *words), [], 'run.py')
    for mode in ('predict', 'export'):
        typed = parsed(commands[mode.capitalize()]).values
        assert typed['model_dir'].text == str(tmp_path / 'run')
        assert typed['best_model_dir'].text == str(tmp_path / 'a $b')
        assert typed['validation_checkpoint'].text == 'best'


@pytest.mark.parametrize('starts', [[], [{}], [{'command': 5}], [{'command': ''}]])
def test_a_training_that_left_no_command_is_left_out(tmp_path, starts):
    commands = commands_of(hparams_of(make_run(tmp_path / 'run')), starts, 'run.py')
    assert list(commands) == ['Evaluate', 'Predict', 'Export']


def test_a_command_that_is_none_is_shown_as_it_is(tmp_path):
    starts = [{'command': "run.py 'open"}]
    commands = commands_of(hparams_of(make_run(tmp_path / 'run')), starts, 'run.py')
    assert commands['Train'] == "run.py 'open"
