"""The benchmark of devices and tasks starts clusters as run.py takes them."""

from __future__ import annotations

import json

import pytest

from benchmarks.distributed_runs import CASES, SETUPS
from extras.cluster.distribution_checks import check_distribution
from extras.cluster.tasks import read_cluster
from library.config.command_line import parse
from library.config.hparams import resolve
from run import CATALOG

pytestmark = pytest.mark.graph


@pytest.mark.parametrize('case', CASES)
@pytest.mark.parametrize('setup', [name for name in SETUPS if SETUPS[name].tasks])
def test_each_way_in_a_cluster_is_a_command_that_run_accepts(
    setup, case, data_dir, module_dir, monkeypatch
):
    batch_size = 4 * SETUPS[setup].shares
    flags = {'data_dir': data_dir, 'model': 'hub', 'module': module_dir}
    command = SETUPS[setup].command({**flags, **CASES[case].flags, 'train_batch_size': batch_size})
    place = command.index('--')
    assert command[:2] == ['-m', 'extras.cluster.local_cluster']
    jobs = {'chief': ['localhost:1'], 'worker': ['localhost:2']}
    if '--ps' in SETUPS[setup].tasks:
        jobs['ps'] = ['localhost:3']
    config = {'cluster': jobs, 'task': {'type': 'chief', 'index': 0}}
    monkeypatch.setenv('TF_CONFIG', json.dumps(config))
    assert len(read_cluster({'TF_CONFIG': json.dumps(config)}).trainers) == 2
    command = command[place + 1 :]
    assert command[:2] == ['run.py', 'train']
    check_distribution(resolve(CATALOG, parse(command[1:], CATALOG, ['train'])))
