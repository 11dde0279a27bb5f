"""The whole way as a person goes it: convert, train, kill, resume, evaluate, the best apart."""

from __future__ import annotations

import json
import signal
import subprocess
import time

import numpy as np
import pytest
import tensorflow as tf

from library.checkpoints.readable import is_readable
from tests.conftest import draw_images
from tests.forked import forked
from tests.processes import running


@pytest.fixture(scope='module')
def work(tmp_path_factory, program):
    """A folder with converted images beside their sources, as the commands of the README do it."""
    folder = tmp_path_factory.mktemp('work')
    for split, per_class in (('train', 20), ('test', 5)):
        images = draw_images(folder / 'dataset' / split, per_class, seed=per_class)
        words = ['--dataset_dir', images, '--tfrecord_filename', split, '--tfrecord_dir', images]
        done = program('convert_dataset.py', *words, '--max_edge', 384)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope='module')
def words(work, module_dir):
    """The command line of a training run of 500 steps, an evaluation after every 100."""
    values = {
        'data_dir': work / 'dataset',
        'model': 'hub',
        'module': module_dir,
        'model_dir': work / 'run',
        'best_model_dir': work / 'best',
        'train_epochs': 50,
        'epochs_between_evals': 10,
        'train_batch_size': 6,
        'learning_rate': 0.03,
        'random_seed': 1,
    }
    return [str(word) for name, value in values.items() for word in (f'--{name}', value)]


def newest_step(folder):
    path = tf.train.latest_checkpoint(str(folder))
    return int(path.rsplit('-', 1)[1]) if path else -1


def wait_for_step(process, folder, step):
    deadline = time.monotonic() + 120
    while newest_step(folder) < step:
        assert process.poll() is None, 'the run ended before it was killed'
        assert time.monotonic() < deadline, f'no checkpoint of step {step} in {folder}'
        time.sleep(0.05)


@pytest.fixture(scope='module')
def resumed(work, words, program):
    """What a run printed that was killed before and started again."""
    with running('run.py', *words) as process:
        wait_for_step(process, work / 'run', 100)
        process.kill()
    assert newest_step(work / 'run') < 500

    return program('run.py', *words)


def test_a_killed_run_goes_on_to_the_same_end_and_keeps_its_best(work, resumed):
    assert resumed.returncode == 0, resumed.stderr
    assert newest_step(work / 'run') == 500
    assert 'step 500/500  100 %' in resumed.stderr
    assert 'Traceback' not in resumed.stderr

    evaluated = forked('run.py', 'evaluate', '--model_dir', work / 'run')
    assert evaluated.returncode == 0, evaluated.stderr
    metrics = json.loads((work / 'run' / 'eval' / 'metrics.json').read_text())
    assert metrics['global_step'] == 500
    assert metrics['examples'] == 15
    assert metrics['accuracy'] >= 0.9

    best = forked('run.py', 'evaluate', '--model_dir', work / 'best')
    assert best.returncode == 0, best.stderr
    kept = json.loads((work / 'best' / 'eval' / 'metrics.json').read_text())
    history = (work / 'run' / 'eval' / 'history.jsonl').read_text().splitlines()
    steps = [json.loads(line)['global_step'] for line in history]
    assert steps == [100, 200, 300, 400, 500]
    losses = [json.loads(line)['average_loss'] for line in history]
    assert kept['loss'] == pytest.approx(min(losses), rel=1e-5)


def test_a_killed_run_ends_with_the_weights_of_one_that_was_not(work, words, resumed):
    assert resumed.returncode == 0
    changed = {str(work / 'run'): work / 'whole', str(work / 'best'): work / 'whole_best'}
    done = forked('run.py', *(changed.get(word, word) for word in words))
    assert done.returncode == 0, done.stderr
    killed, whole = (
        tf.train.load_checkpoint(str(work / name / 'model.ckpt-500')) for name in ('run', 'whole')
    )
    names = whole.get_variable_to_shape_map()
    assert names == killed.get_variable_to_shape_map()
    assert {'head/logits/kernel', 'head/logits/kernel/Adam', 'global_step'} <= set(names)
    for name in names:
        np.testing.assert_array_equal(killed.get_tensor(name), whole.get_tensor(name), name)


def test_a_stopped_run_ends_with_its_signals_code_after_a_checkpoint(work, words):
    changed = {str(work / 'run'): work / 'stopped', str(work / 'best'): work / 'stopped_best'}
    changed['50'] = 5000
    words = [str(changed.get(word, word)) for word in words]
    with running('run.py', *words, stderr=subprocess.PIPE) as process:
        wait_for_step(process, work / 'stopped', 100)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 143
    # In the middle of training it saves one more; during an evaluation it has just saved.
    assert newest_step(work / 'stopped') >= 100
    assert is_readable(tf.train.latest_checkpoint(str(work / 'stopped')))
    assert errors.splitlines()[-1] == (
        'error: stopped by SIGTERM after a checkpoint; the same command goes on from there'
    )


def test_tensorflow_keeps_silent_unless_verbose(work, resumed, program):
    assert resumed.returncode == 0
    quiet = program('run.py', 'evaluate', '--model_dir', work / 'run')
    assert quiet.stderr == ''
    loud = program('run.py', 'evaluate', '--model_dir', work / 'run', '--verbose')
    assert 'Calling model_fn' in loud.stderr
