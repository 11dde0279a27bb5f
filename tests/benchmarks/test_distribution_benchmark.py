"""Runs on several devices and tasks are started, measured, stopped; no figure is looked at."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from benchmarks import distributed_runs, distribution
from benchmarks.communication import Trained
from benchmarks.distributed_runs import (
    CASES,
    SETUPS,
    Case,
    Measured,
    SetUp,
    loopback_bytes,
    measure_run,
    points_in,
)
from benchmarks.distribution import main, speed_table
from benchmarks.rates import Measurement, Row
from library.config.command_line import parse
from library.config.hparams import resolve
from library.errors import ResourceError
from library.modes.device_checks import check_distribution
from project.options import CATALOG
from tests.checks_of_a_run import check

pytestmark = pytest.mark.train

# Stands for run.py: two steps a look, and a way to end at once.
PROGRAM = """
import json, sys, time
from datetime import datetime, UTC
from pathlib import Path
flags = dict(word.removeprefix('--').split('=', 1) for word in sys.argv[2:])
if flags.get('fails'):
    print('working')
    print('error: no such thing', file=sys.stderr)
    print('last line')
    sys.exit(3)
folder = Path(flags['model_dir'])
folder.mkdir()
(folder / 'environment.json').write_text(json.dumps({'starts': [{'parameters': {'trained': 12}}]}))
step = 0
while step < 10**6:
    step += 2
    if not flags.get('waits'):
        with (folder / 'metrics.jsonl').open('a') as file:
            line = {'step': step, 'time': datetime.now(UTC).isoformat(timespec='milliseconds')}
            file.write(json.dumps(line) + '\\n')
    time.sleep(0.02)
"""
FLAGS = {'train_batch_size': 4}


@pytest.fixture
def run_program(tmp_path, monkeypatch):
    """Starts the program above in the place of run.py."""
    (tmp_path / 'run.py').write_text(PROGRAM)
    monkeypatch.setattr(distributed_runs, 'ROOT', tmp_path)


def lines(*points):
    return [
        f'{{"step": {step}, "time": "2026-01-01T00:00:{at:06.3f}+00:00"}}\n'.encode()
        for step, at in points
    ]


def test_the_first_moments_and_a_line_that_is_being_written_do_not_count():
    written = lines((10, 1), (20, 1.5), (30, 2.25), (50, 4), (60, 5))
    points = points_in([*written, b'{"step": 70, "ti'], warm_up=1.0)
    assert [step for step, _ in points] == [30, 50, 60]
    assert points[-1][1] - points[0][1] == pytest.approx(2.75)
    assert points_in([], warm_up=1.0) == []


def test_a_run_is_measured_from_its_own_steps_and_stopped(run_program):
    found = measure_run(SETUPS['mirrored_double'], CASES['head'], FLAGS, seconds=0.2, limit=30)
    # Two devices with four images each.
    assert found.images.images % 8 == 0
    assert found.images.seconds >= 0.2
    assert found.trained == Trained('head on features', 12)
    assert found.sent is None


def test_what_the_tasks_of_a_cluster_send_is_counted(run_program, monkeypatch):
    counts = iter(range(0, 10**6, 1000))
    monkeypatch.setattr(distributed_runs, 'loopback_bytes', lambda: next(counts))
    # A cluster by name alone: the program starts no others.
    monkeypatch.setattr(SetUp, 'command', lambda self, flags: ['run.py', 'train', *words(flags)])
    cluster = SetUp('two tasks', {}, ('--workers', '1'))
    found = measure_run(cluster, CASES['head'], FLAGS, seconds=0.5, limit=30)
    assert found.sent > 0


def words(flags):
    return [f'--{name}={value}' for name, value in flags.items()]


def test_a_run_that_ends_is_named_with_its_error(run_program):
    with pytest.raises(ResourceError, match=r'^run\.py ended with 3: error: no such thing$'):
        measure_run(SETUPS['one'], Case('none', {'fails': 1}), FLAGS, seconds=0.1, limit=30)


def test_a_run_that_takes_no_step_is_given_up(run_program):
    with pytest.raises(ResourceError, match=r'run\.py: not measured after 0\.5 s \(--limit\)'):
        measure_run(SETUPS['one'], Case('none', {'waits': 1}), FLAGS, seconds=0.1, limit=0.5)


@pytest.mark.parametrize('case', CASES)
@pytest.mark.parametrize('setup', [name for name in SETUPS if not SETUPS[name].tasks])
def test_each_way_in_one_process_is_a_command_that_run_accepts(setup, case, data_dir, module_dir):
    batch_size = 4 * SETUPS[setup].shares
    flags = {'data_dir': data_dir, 'model': 'hub', 'module': module_dir}
    command = SETUPS[setup].command({**flags, **CASES[case].flags, 'train_batch_size': batch_size})
    assert command[:2] == ['run.py', 'train']
    hparams = resolve(CATALOG, parse(command[1:], CATALOG, ['train']))
    check(hparams, 'train')
    check_distribution(hparams)


def test_a_run_writes_what_is_measured(launch, tmp_path):
    launch(
        tmp_path,
        model='simple',
        image_size=16,
        hooks='metrics,environment',
        metrics_steps=1,
        epochs_between_evals=2,
    )
    model_dir = tmp_path / 'checkpoints'
    written = (model_dir / 'metrics.jsonl').read_bytes().splitlines(keepends=True)
    assert [step for step, _ in points_in(written, warm_up=0)] == list(range(1, 9))
    (start,) = json.loads((model_dir / 'environment.json').read_bytes())['starts']
    assert start['parameters']['trained'] > 0


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='Linux counts so')
def test_what_the_machine_sends_to_itself_is_counted():
    assert loopback_bytes() >= 0


def test_where_the_system_does_not_count_nothing_is_reported(monkeypatch, tmp_path):
    monkeypatch.setattr(distributed_runs, 'NETWORK', tmp_path / 'none')
    assert loopback_bytes() is None


def test_the_table_tells_steps_by_each_ways_own_batch():
    rows = [Row('one device', 320, 1, 1, 1, 0), Row('two', 160, 0.5, 0.4, 0.6, 0)]
    heading, one, two = speed_table(rows, {'one device': 32, 'two': 64}, {'two': 2e6}).splitlines()
    assert 'of one device' in heading
    assert re.split('  +', one) == ['one device', '32', '10.0', '320', '-', '1.00 (1.00 to 1.00)']
    assert re.split('  +', two) == ['two', '64', '2.5', '160', '2', '0.50 (0.40 to 0.60)']


def test_one_device_is_always_measured_and_all_is_reported(
    data_dir, module_dir, monkeypatch, capsys
):
    order = []

    def measure(setup, case, flags, seconds, limit):
        order.append(setup.name)
        assert Path(flags['data_dir'], 'train').is_dir()
        assert flags['train_batch_size'] == 4
        return Measured(Measurement(100, 1.0), 3e6, Trained(case.name, 99))

    monkeypatch.setattr(distribution, 'measure_run', measure)
    monkeypatch.setattr(distribution, 'warm_up', lambda folder: None)
    asked = ['--photos', data_dir / 'images', '--module', module_dir, '--batch_size', 4]
    asked += ['--cases', 'head', '--setups', 'mirrored_double', '--rounds', 2]
    assert main([str(word) for word in asked]) == 0
    assert order == ['one device', '2 replicas, each a batch'] * 2
    told, table, note, sent, machine = capsys.readouterr().out.split('\n\n')
    assert told == f'photos: images; module: {module_dir.name}, 32 px'
    assert [line.split('  ')[0] for line in table.splitlines()[2:]] == order[:2]
    assert 'share' in note
    assert 'head on features' in sent
    assert machine.startswith('machine: ')
