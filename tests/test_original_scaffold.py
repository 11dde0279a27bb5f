"""The original scaffold's own two files and its command, as its README shows them."""

from __future__ import annotations

import pytest

import run
from library.config.command_line import parse
from library.config.hparams import resolve
from project.options import CATALOG
from tests.conftest import ROOT
from tests.shipped import AS_SHIPPED

pytestmark = [pytest.mark.unit, AS_SHIPPED]

# As the original scaffold's README shows them.
ORIGINAL_HYPERPARAMETERS = """\
default: &DEFAULT
  # batch_size: 100
  # num_epoch: 1000
  # optimizer: Adam
  learning_rate: 1e-4
  dropout_rate: 0.5
  l2_regularization: 1e-8
  xentropy_label_smoothing: 0.
  adam_beta1: 0.9
  adam_beta2: 0.999
  adam_epsilon: 1e-8

mobilenet:
  <<: *DEFAULT
  learning_rate: 1e-5
  fine_tuning: True
"""
ORIGINAL_PROJECT = """\
default: &DEFAULT
  train_batch_size: 32
  train_epochs: 1000
  epochs_between_evals: 100
  hyperparameter_file: hyperparameters.yaml
  hyperparameter_set: default
  model: latest
  model_dir: out/current/checkpoints
  best_model_dir: out/current/best

gtx1080ti:
  <<: *DEFAULT
  train_batch_size: 512

thinkpadx201t:
  <<: *DEFAULT
  train_batch_size: 10
  train_epochs: 10
  epochs_between_evals: 1
  random_seed: 0
"""


@pytest.fixture
def original(write):
    """HParams of the original scaffold's two files and some words."""

    def call(*words):
        files = {
            '--config_file': write(ORIGINAL_PROJECT, 'project.yaml'),
            '--hyperparameter_file': write(ORIGINAL_HYPERPARAMETERS, 'hyperparameters.yaml'),
        }
        flags = [str(part) for pair in files.items() for part in pair]
        return resolve(CATALOG, parse([*words, *flags], CATALOG, list(run.MODES)))

    return call


def test_the_original_files_are_read_as_they_were_written(original):
    hparams = original()
    expected = {
        'learning_rate': 1e-4,
        'dropout_rate': 0.5,
        'l2_regularization': 1e-8,
        'xentropy_label_smoothing': 0.0,
        'adam_beta1': 0.9,
        'adam_beta2': 0.999,
        'adam_epsilon': 1e-8,
        'fine_tuning': False,
        'train_batch_size': 32,
        'train_epochs': 1000,
        'epochs_between_evals': 100,
        'hyperparameter_set': 'default',
        'model': 'hub',
        'model_dir': 'out/current/checkpoints',
        'best_model_dir': 'out/current/best',
    }
    assert {name: hparams.values()[name] for name in expected} == expected
    assert hparams.unused == {}


def test_the_original_sets_inherit(original):
    hparams = original('--config_set', 'thinkpadx201t', '--hyperparameter_set', 'mobilenet')
    assert (hparams.train_batch_size, hparams.train_epochs) == (10, 10)
    assert (hparams.epochs_between_evals, hparams.random_seed) == (1, 0)
    assert (hparams.learning_rate, hparams.fine_tuning) == (1e-5, True)
    assert (hparams.dropout_rate, hparams.model_dir) == (0.5, 'out/current/checkpoints')
    assert original('--config_set', 'gtx1080ti').train_batch_size == 512


def test_the_scaffolds_own_files_hold_what_the_original_ones_did(original, monkeypatch):
    monkeypatch.chdir(ROOT)
    ours = resolve(CATALOG, parse([], CATALOG, list(run.MODES))).values()
    theirs = original().values()
    files = {name: ours[name] for name in ('config_file', 'hyperparameter_file')}
    assert theirs | files == ours


def test_the_original_command_is_understood(original):
    words = '--xla --epochs_between_evals 1000 --train_epochs 10000 --learning_rate 0.0001'
    hparams = original(*words.split())
    assert hparams.xla is True
    assert (hparams.epochs_between_evals, hparams.train_epochs) == (1000, 10000)
    assert hparams.learning_rate == 1e-4
