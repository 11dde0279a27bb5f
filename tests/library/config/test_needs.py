"""Options that only count beside another one."""

from __future__ import annotations

import re

import pytest

import run
from library.config.command_line import parse
from library.config.explain import explain
from library.config.hparams import resolve
from library.config.needs import unused
from library.errors import ConfigError
from project.hooks import HOOKS
from project.options import CATALOG
from tests.checks_of_a_run import check, overruled
from tests.conftest import ROOT

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.chdir(ROOT)


def hparams(*words, mode='train'):
    return resolve(CATALOG, parse([mode, *words], CATALOG, list(run.MODES)))


@pytest.fixture
def from_sets(write):
    """The values of a run whose hyper-parameter set holds these lines."""

    def call(*lines, mode='train'):
        text = 'default:\n' + ''.join(f'  {line}\n' for line in lines)
        return hparams('--hyperparameter_file', str(write(text)), mode=mode)

    return call


def refused(values):
    with pytest.raises(ConfigError) as error:
        check(values, 'train')
    assert error.value.exit_code == 2
    assert '\n' not in str(error.value)
    return str(error.value)


PATIENCE = '--early_stopping_patience'
# Typed, what it takes, and how that is turned on.
RULES = [
    ('--loss_scale 128', '--dtype float16', None),
    ('--no_train_batch_norm', '--fine_tuning', None),
    ('--module_learning_rate_multiplier 0.1', '--fine_tuning', None),
    ('--checkpoint_exclude_scopes head', '--warm_start_ckpt', '--warm_start_ckpt out/x'),
    ('--checkpoint_restore_scopes head', '--warm_start_ckpt', '--warm_start_ckpt out/x'),
    ('--stop_metric average_loss', '--stop_threshold', '--stop_threshold 0'),
    ('--stop_metric_mode min', '--stop_threshold', '--stop_threshold 0'),
    ('--early_stopping_metric_mode min', PATIENCE, f'{PATIENCE} 2'),
    ('--early_stopping_metric accuracy', PATIENCE, f'{PATIENCE} 2'),
    ('--early_stopping_min_delta 0.1', PATIENCE, f'{PATIENCE} 2'),
    ('--log_tensors loss', '--hooks logging_tensors', '--hooks metrics,logging_tensors'),
    ('--logging_tensors_steps 3', '--hooks logging_tensors', None),
    ('--metrics_steps 3', '--hooks metrics', None),
    ('--examples_per_second_steps 3', '--hooks examples_per_second', None),
    ('--profiler_steps 3', '--hooks profiler', None),
    ('--profiler_traces 3', '--hooks profiler', None),
    *(
        (f'--{name} x', '--train_metadata', '--train_metadata x --eval_metadata x')
        for name in (
            *('label_from_name', 'image_root', 'path_column', 'label_column', 'split_column'),
            *('record_image_key', 'record_label_key'),
        )
    ),
    *(
        (typed, '--train_metadata', '--train_metadata x --eval_metadata x')
        for typed in (
            '--background 0,0,0',
            '--keep_colors',
            '--bands 1,2,3',
            '--black_value 100',
            '--white_value 4095',
            '--follow_symlinks',
        )
    ),
]


def test_every_rule_is_among_these():
    flags = {typed.split()[0].removeprefix('--').removeprefix('no_') for typed, _, _ in RULES}
    assert flags == {each.name for each in CATALOG.by_name.values() if each.needs}


def test_what_an_option_needs_is_an_option_and_one_of_its_values():
    for each in CATALOG.by_name.values():
        name, _, wanted = each.needs.partition(' ')
        if name:
            known = HOOKS if name == 'hooks' else CATALOG.by_name[name].choices
            assert wanted in known if wanted else name in CATALOG.by_name, each.name


@pytest.mark.parametrize(('typed', 'taken', 'on'), RULES)
def test_what_is_typed_and_not_used_is_an_error_that_says_what_it_takes(typed, taken, on):
    name = typed.split()[0].removeprefix('--').removeprefix('no_')
    expected = f'--{name} is not used by this run: it takes {taken}'
    assert refused(hparams(*typed.split())) == expected
    check(hparams(*typed.split(), *(on or taken).split()), 'train')


@pytest.mark.parametrize(('typed', 'taken', 'on'), RULES)
@pytest.mark.parametrize('mode', ['evaluate', 'preview'])
def test_other_modes_ignore_what_is_of_training(typed, taken, on, mode):
    check(hparams(*typed.split(), mode=mode), mode)


def test_in_a_set_it_is_legal_and_explained(from_sets):
    values = from_sets('train_batch_norm: false', 'checkpoint_exclude_scopes: [head]')
    check(values, 'train')
    shown = [' '.join(row.split()) for row in explain(values, overruled(values)).splitlines()]
    rows = [re.sub(r'\S*(sets.yaml)', r'\1', row) for row in shown if 'unused without' in row]
    assert rows == [
        'checkpoint_exclude_scopes head sets.yaml:3 (unused without --warm_start_ckpt)',
        'train_batch_norm false sets.yaml:2 (unused without --fine_tuning)',
    ]


def test_a_default_needs_no_word():
    assert unused(hparams()) == {}


def test_an_option_of_another_model_is_no_case_for_these_rules():
    check(hparams('--model', 'simple'), 'train')


@pytest.mark.parametrize(
    ('typed', 'message'),
    [
        ('--white_value auto', '--white_value: auto is measured by a conversion alone'),
        ('--background 1,2', '--background: red, green and blue have to be given'),
    ],
)
def test_what_pixels_mean_is_checked_before_tensorflow_is_imported(typed, message):
    on = '--train_metadata x --eval_metadata x'
    assert refused(hparams(*typed.split(), *on.split())).startswith(message)
