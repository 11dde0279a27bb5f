"""What must hold between options, and which of them win."""

from __future__ import annotations

import re

import pytest

import run
from library.config.command_line import parse
from library.config.explain import explain
from library.config.hparams import resolve
from library.errors import ConfigError
from project.options import CATALOG
from tests.checks_of_a_run import check, overruled
from tests.conftest import ROOT

pytestmark = pytest.mark.unit

FILES = ['--config_file', ROOT / 'project.yaml', '--hyperparameter_file']
FILES = [*map(str, FILES), str(ROOT / 'hyperparameters.yaml')]


def hparams(*words):
    return resolve(CATALOG, parse([*words, *FILES], CATALOG))


def test_checkpoints_by_steps_and_by_seconds_do_not_go_together():
    with pytest.raises(ConfigError, match='--save_checkpoints_steps and --save_checkpoints_secs'):
        check(hparams('--save_checkpoints_steps', '3', '--save_checkpoints_secs', '3'), 'train')


@pytest.mark.parametrize(
    ('words', 'line'),
    [
        ('--train_steps 5', 'train_epochs 1000 project.yaml (train_steps wins)'),
        ('--max_train_steps 5', 'train_epochs 1000 project.yaml (capped by max_train_steps 5)'),
        (
            '--train_steps 9 --max_train_steps 5',
            'train_steps 9 command line (capped by max_train_steps 5)',
        ),
        (
            '--save_checkpoints_steps 5',
            'epochs_between_evals 100 project.yaml (save_checkpoints_steps wins)',
        ),
        (
            '--save_checkpoints_secs 5',
            'epochs_between_evals 100 project.yaml (save_checkpoints_secs wins)',
        ),
        (
            '--eval_batch_size 5',
            'batch_size 32 default (train_batch_size and eval_batch_size win)',
        ),
    ],
)
def test_explain_says_which_option_wins(words, line):
    values = hparams(*words.split())
    shown = [' '.join(row.split()) for row in explain(values, overruled(values)).splitlines()]
    assert line in [re.sub(r'\S*(project.yaml):\d+', r'\1', row) for row in shown]


@pytest.fixture
def from_sets(write):
    """The values of a run in a mode, whose two sets hold one more line each."""

    def call(learned, where='', mode='train'):
        hyperparameters = write(f'default:\n  learning_rate: 0.1\n  {learned}\n')
        project = write(f'default:\n  train_epochs: 1\n  {where}\n', 'project.yaml')
        words = [mode, '--config_file', str(project), '--hyperparameter_file', str(hyperparameters)]
        return resolve(CATALOG, parse(words, CATALOG, list(run.MODES)))

    return call


WRONG = [
    (
        'learning_rate_decay_type: cosine\n  end_learning_rate: 0.2',
        'sets.yaml:4',
        "key 'end_learning_rate': 0.2 is not below the learning_rate 0.1",
    ),
    (
        'learning_rate_decay_type: piecewise\n  learning_rate_boundaries: [6, 3]',
        'sets.yaml:4',
        "key 'learning_rate_boundaries': 6,3 do not rise",
    ),
    (
        'class_weights: [1, foo]',
        'sets.yaml:3',
        "key 'class_weights': 'foo' is not balanced alone, nor a number for each class",
    ),
    (
        ('', 'dtype: float16\n  loss_scale: 0.5'),
        'project.yaml:4',
        "key 'loss_scale': '0.5' is neither dynamic nor a number of at least 1 such as 128",
    ),
    (
        ('', 'hooks: [metric]'),
        'project.yaml:3',
        "key 'hooks': no hook 'metric'; did you mean 'metrics'?",
    ),
    (
        ('', 'model_dir: x\n  best_model_dir: x'),
        'project.yaml:4',
        "key 'best_model_dir' must be another folder than --model_dir",
    ),
]


@pytest.mark.parametrize(('lines', 'line', 'message'), WRONG)
def test_a_value_of_a_set_is_reported_with_file_line_and_key(
    from_sets, tmp_path, lines, line, message
):
    lines = (lines,) if isinstance(lines, str) else lines
    with pytest.raises(ConfigError) as error:
        check(from_sets(*lines), 'train')
    assert str(error.value) == f'{tmp_path}/{line}: {message}'
    assert error.value.exit_code == 2


@pytest.mark.parametrize(('lines', 'line', 'message'), WRONG)
@pytest.mark.parametrize('mode', ['evaluate', 'preview'])
def test_what_training_alone_reads_ends_no_other_mode(from_sets, lines, line, message, mode):
    lines = (lines,) if isinstance(lines, str) else lines
    check(from_sets(*lines, mode=mode), mode)


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--class_weights', '1,foo'], "--class_weights: 'foo' is not balanced alone"),
        (['--class_weights=-1'], '--class_weights: -1 is not a finite number'),
        (
            ['--learning_rate_decay_type', 'cosine', '--end_learning_rate', '2'],
            '--end_learning_rate: 2.0 is not below the learning_rate 0.0001',
        ),
    ],
)
def test_a_value_that_was_typed_is_reported_with_its_flag(words, message):
    with pytest.raises(ConfigError) as error:
        check(hparams(*words), 'train')
    assert str(error.value).startswith(message)


def test_nothing_is_overruled_where_each_rule_stands_alone():
    assert overruled(hparams()) == {}


def test_none_empties_an_option_of_several_values():
    assert hparams('--hooks', 'none').hooks == ()
    assert hparams('--trainable_scopes', 'none', 'head').trainable_scopes == ('none', 'head')
