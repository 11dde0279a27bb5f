"""What the extra declares, and what it gives to the programs."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace

import pytest

import run
from extras.cluster import chief
from extras.cluster.distribution import ClusterDistribution, make_distribution
from extras.cluster.extra import EXTRA
from library.config.command_line import parse
from library.config.fields import options_of
from library.config.hparams import resolve
from library.extras import FLAGS, Extra, Extras
from library.runtime.distribution import Distribution
from tests.conftest import ROOT

pytestmark = pytest.mark.process

CLUSTER = {'chief': ['localhost:1'], 'worker': ['localhost:2']}
EVALUATOR = {'cluster': CLUSTER, 'task': {'type': 'evaluator', 'index': 0}}


def test_the_core_can_name_the_extra_of_each_option():
    names = [each.name for cls in EXTRA.options for each in options_of(cls)]
    assert sorted(FLAGS['cluster']) == sorted(names)


def test_what_comes_before_training_imports_no_tensorflow(program):
    names = ['distribution_checks', 'extra', 'local_cluster', 'rendezvous', 'watchdog']
    imports = ', '.join(f'extras.cluster.{name}' for name in names)
    done = program('-c', f'import sys, {imports}; print("tensorflow" in sys.modules)')
    assert (done.returncode, done.stdout, done.stderr) == (0, 'False\n', '')


@pytest.mark.parametrize(
    ('mode', 'config', 'kind'),
    [
        ('train', EVALUATOR, ClusterDistribution),
        ('train', {}, Distribution),
        ('evaluate', EVALUATOR, Distribution),
    ],
)
def test_a_cluster_trains_and_other_modes_work_alone(monkeypatch, mode, config, kind):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv('TF_CONFIG', json.dumps(config))
    words = parse([mode], run.CATALOG, list(run.MODES))
    made = make_distribution(resolve(run.CATALOG, words), Extras())
    assert type(made) is kind
    assert made.is_alone == (kind is Distribution)
    # TensorFlow reads it in many places.
    assert ('TF_CONFIG' in os.environ) == (kind is ClusterDistribution)


CALLS = []


def note(hparams, others_are_running):
    CALLS.append((hparams, others_are_running))


@pytest.mark.parametrize(('state', 'running'), [('running', True), ('waiting', False)])
def test_other_extras_are_called_before_a_cluster_trains(monkeypatch, state, running):
    CALLS.clear()
    code = {'before_training_together': f'{__name__}:note'}
    cluster = SimpleNamespace(peers=['worker'])
    distribution = object.__new__(ClusterDistribution)
    object.__setattr__(distribution, 'cluster', cluster)
    object.__setattr__(distribution, 'extras', Extras((Extra('other', code=code),)))
    experiment = SimpleNamespace(distribution=distribution, hparams='hparams')
    answer = SimpleNamespace(state=state)
    monkeypatch.setattr(chief, 'ask_all', lambda tasks: dict.fromkeys(tasks, answer))
    chief._before_training_together(experiment)
    assert CALLS[0] == ('hparams', running)
    assert len(CALLS) == 1
