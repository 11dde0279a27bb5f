"""One command for all tasks of a cluster on this machine: names, ends and signals."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from extras.cluster.local_cluster import free_addresses
from extras.cluster.rendezvous_port import listener_at
from tests.processes import running, wait_until

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[3]
MODULE = 'extras.cluster.local_cluster'
# Tells its task, then does what it is told for its name: exit code, or `wait`.
TASK = """
import json, os, sys, time
config = json.loads(os.environ['TF_CONFIG'])
name = '{type}{index}'.format(**config['task'])
print(json.dumps(config))
print('warned', file=sys.stderr)
for each in sys.argv[1:]:
    which, what = each.split('=')
    if which == name:
        time.sleep(60) if what == 'wait' else sys.exit(int(what))
"""


@pytest.fixture
def local_cluster(program, write):
    script = write(TASK, 'task.py')

    def run(*options, tasks=()):
        return program('-m', MODULE, *options, '--', script, *tasks, timeout=30)

    return run


def told(text):
    """By task the lines that it printed."""
    lines = [line.partition(': ') for line in text.splitlines()]
    names = dict.fromkeys(name for name, _, _ in lines)
    return {name: [rest for other, _, rest in lines if other == name] for name in names}


def test_each_task_knows_its_place_and_its_lines_bear_its_name(local_cluster):
    result = local_cluster('--workers', 2, '--ps', 1, '--evaluator')
    assert result.returncode == 0
    lines = told(result.stdout)
    assert set(lines) == {'chief', 'worker 0', 'worker 1', 'ps 0', 'evaluator'}
    configs = {name: json.loads(line) for name, (line,) in lines.items()}
    clusters = [config['cluster'] for config in configs.values()]
    assert all(cluster == clusters[0] for cluster in clusters)
    assert {job: len(tasks) for job, tasks in clusters[0].items()} == {
        'chief': 1,
        'worker': 2,
        'ps': 1,
    }
    assert len({address for tasks in clusters[0].values() for address in tasks}) == 4
    assert configs['worker 1']['task'] == {'type': 'worker', 'index': 1}
    assert told(result.stderr) == {name: ['warned'] for name in lines}


@pytest.mark.parametrize(
    ('each', 'visible', 'expected'),
    [
        (0, None, ('', '')),
        (0, '0,1', ('', '')),
        (1, None, ('0', '1')),
        (2, None, ('0,1', '2,3')),
        (1, '4, GPU-5a,6', ('4', 'GPU-5a')),
    ],
)
def test_tasks_that_train_get_gpus_of_their_own(
    program, write, monkeypatch, each, visible, expected
):
    script = write("import os; print(repr(os.environ['CUDA_VISIBLE_DEVICES']))", 'task.py')
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    if visible is not None:
        monkeypatch.setenv('CUDA_VISIBLE_DEVICES', visible)
    result = program(
        *('-m', MODULE, '--workers', 1, '--ps', 1, '--evaluator'),
        *(('--gpus', each) if each else ()),
        *('--', script),
        timeout=30,
    )
    assert result.returncode == 0
    chief, worker = (repr(gpus) for gpus in expected)
    given = {'chief': [chief], 'worker 0': [worker], 'ps 0': ["''"], 'evaluator': ["''"]}
    assert told(result.stdout) == given


@pytest.mark.parametrize(('visible', 'names'), [('0,1,2', 3), ('', 0), ('-1', 0)])
def test_too_few_visible_gpus_are_reported_before_a_task_starts(program, visible, names):
    words = ('-m', MODULE, '--workers', 1, '--gpus', 2, '--', '-c', 'print()')
    result = program(*words, CUDA_VISIBLE_DEVICES=visible)
    assert (result.returncode, result.stdout) == (2, '')
    assert result.stderr == (
        'error: --gpus 2: the chief and the workers need 4, and CUDA_VISIBLE_DEVICES names '
        f'{names}\n'
    )


def test_the_first_failure_is_the_exit_code_and_ends_the_others(local_cluster):
    result = local_cluster('--grace', 0.3, tasks=('worker0=7', 'chief0=wait'))
    assert result.returncode == 7
    assert (
        'worker 0 ended with exit code 7; the others have 0.3 s to end'
        in result.stderr.splitlines()
    )


def test_parameter_servers_end_when_the_others_are_done(local_cluster):
    began = time.monotonic()
    result = local_cluster('--workers', 0, '--ps', 1, '--grace', 0.3, tasks=('ps0=wait',))
    assert result.returncode == 0
    assert time.monotonic() - began < 15


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_all_tasks(write, number):
    script = write(TASK, 'task.py')
    words = ['-m', MODULE, '--', script, 'chief0=wait', 'worker0=wait']
    with running(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        for _ in range(2):
            process.stdout.readline()
        process.send_signal(number)
        process.communicate(timeout=20)
    # A script without handlers of its own: an interrupt is an exception there, and 130.
    assert process.returncode == 128 + number


def is_alive(pid):
    """Whether a process runs; one that nobody has waited for yet does not."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


@pytest.mark.skipif(sys.platform != 'linux', reason='Linux alone ties processes so')
def test_no_task_is_left_where_all_are_killed_with_the_supervisor(write):
    script = write('import os, time; print(os.getpid()); time.sleep(60)', 'task.py')
    with running('-m', MODULE, '--', script, stdout=subprocess.PIPE) as process:
        pids = [int(process.stdout.readline().rpartition(' ')[2]) for _ in range(2)]
        assert all(map(is_alive, pids))
        process.kill()
        wait_until(lambda: not any(map(is_alive, pids)), 'the end of both tasks', 20)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ([], 'no command: give it after --, such as -- run.py train'),
        (['--workers', 2, '--'], 'no command: give it after --, such as -- run.py train'),
        (['--workers', -1, '--', 'x'], '--workers -1: must be 0 or more'),
        (['--ps', -1, '--', 'x'], '--ps -1: must be 0 or more'),
        (['--gpus', -1, '--', 'x'], '--gpus -1: must be 0 or more'),
        (
            ['--workers', 0, '--', 'x'],
            'a chief alone is no cluster: give --workers or --ps',
        ),
        (['run.py', '--', 'x'], 'unrecognized arguments: run.py (see --help)'),
        (
            ['--workers', 'x', '--', 'x'],
            "argument --workers: invalid int value: 'x' (see --help)",
        ),
    ],
)
def test_a_wrong_call_is_reported_in_one_line(program, arguments, message):
    result = program('-m', MODULE, *arguments)
    assert (result.returncode, result.stdout) == (2, '')
    assert result.stderr == f'error: {message}\n'


def test_help_says_whom_workers_counts_and_who_gets_gpus(program):
    result = program('-m', MODULE, '--help')
    assert result.returncode == 0
    assert 'workers beside the chief' in result.stdout
    assert 'GPUs for the chief and for each worker' in ' '.join(result.stdout.split())


def test_free_addresses_differ_and_can_be_taken():
    addresses = free_addresses(20)
    assert len(set(addresses)) == 20
    for address in addresses:
        listener_at(int(address.rpartition(':')[2])).close()
