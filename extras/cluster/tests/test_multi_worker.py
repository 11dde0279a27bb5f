"""A chief, a worker and an evaluator on this machine: gradients summed up in every step."""

from __future__ import annotations

import json
import signal
import time

import numpy as np
import pytest
import tensorflow as tf

from extras.cluster.tests.started_tasks import Tasks, newest_step, run_flags
from library.exporters.history import read_history

pytestmark = pytest.mark.process

TOGETHER = {'chief': 1, 'worker': 1}
# What a step follows from, beside its images; Adam would make much of differences in rounding.
SAME = {'dropout_rate': 0, 'optimizer': 'sgd', 'learning_rate': 0.01}


def variables(checkpoint):
    reader = tf.train.load_checkpoint(str(checkpoint))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


@pytest.fixture(scope='module')
def finished(data_dir, module_dir, tmp_path_factory):
    """Two epochs of 24 images in batches of 6, in stored order, on the features of a module."""
    folder = tmp_path_factory.mktemp('together')
    values = {'train_epochs': 2, 'debug': 'true', 'cache_features': 'true', **SAME}
    values |= {'model': 'hub', 'module': module_dir, 'image_size': 32}
    tasks = Tasks(folder, TOGETHER, run_flags(data_dir, folder, **values))
    codes = tasks.start().start('evaluator').wait()
    assert set(codes.values()) == {0}, tasks.texts()
    return tasks


def test_the_steps_are_those_of_one_machine_with_the_same_batches(finished, launch, tmp_path):
    """So each image was seen once an epoch, by one of the two."""
    values = {'train_epochs': 2, 'debug': None, 'cache_features': None, **SAME}
    assert launch(tmp_path, **values) == 0
    alone = variables(tmp_path / 'checkpoints' / 'model.ckpt-8')
    together = variables(finished.folder / 'run' / 'model.ckpt-8')
    assert set(together) == set(alone)
    for name, value in alone.items():
        np.testing.assert_allclose(together[name], value, rtol=1e-4, atol=1e-5, err_msg=name)


def test_the_evaluator_evaluates_the_last_checkpoint_and_keeps_the_best(finished):
    assert read_history(str(finished.folder / 'run'))[-1]['global_step'] == 8
    best = json.loads((finished.folder / 'best' / 'best.json').read_text())
    kept = best['snapshots'][0]
    assert (finished.folder / 'best' / f'{kept["checkpoint"]}.index').exists()
    assert 'kept in' in finished.text('evaluator 0')
    saved = (finished.folder / 'run' / 'hparams.yaml').read_text()
    assert f'run_id: {best["run_id"]}' in saved.replace("'", '')


def test_each_task_says_what_it_does_and_only_the_chief_writes(finished):
    chief, worker = finished.text('chief 0'), finished.text('worker 0')
    assert '24 images of 3 classes' in chief
    assert 'features instead of images' in chief
    assert 'features instead of images' not in worker
    assert 'step 8: all 8 steps are trained' in chief
    assert 'training with chief' in worker
    run = finished.folder / 'run'
    assert not list(run.glob('tmp_*'))
    assert len(list(run.glob('events.out.*'))) == 1


def test_the_run_ends_early_in_all_tasks_and_goes_on_after_losses_and_signals(
    data_dir, module_dir, tmp_path
):
    """One run, started three times; of a kind that sums up more than gradients over all tasks."""
    endless = {'train_steps': 10**6, 'save_checkpoints_steps': 20}
    endless |= {'model': 'hub', 'module': module_dir, 'image_size': 32, 'fine_tuning': 'true'}
    endless |= {'moving_average_decay': 0.9}
    stops = run_flags(data_dir, tmp_path, stop_threshold=0.01, **endless)
    tasks = Tasks(tmp_path, TOGETHER, stops)
    assert set(tasks.start().start('evaluator').wait().values()) == {0}, tasks.texts()
    assert 'stopped early' in tasks.text('chief 0')
    first = newest_step(tmp_path)

    flags = run_flags(data_dir, tmp_path, **endless)
    tasks = Tasks(tmp_path / 'killed', TOGETHER, flags).start()
    tasks.wait_for(lambda: newest_step(tmp_path) > first, 'a checkpoint')
    tasks.kill('worker 0')
    assert tasks.wait()['chief 0'] == 5, tasks.texts()
    address = tasks.cluster['worker'][0]
    assert f'worker 0 ({address}) has not answered for 3 s: it is lost' in tasks.text('chief 0')
    second = newest_step(tmp_path)

    tasks = Tasks(tmp_path / 'stopped', TOGETHER, flags).start()
    tasks.wait_for(lambda: newest_step(tmp_path) > second, 'a checkpoint')
    tasks.processes['worker 0'].send_signal(signal.SIGTERM)
    assert tasks.wait() == {'chief 0': 143, 'worker 0': 143}, tasks.texts()
    assert 'stopped by SIGTERM after a checkpoint' in tasks.text('worker 0')
    assert 'stopped together with another task after a checkpoint' in tasks.text('chief 0')


@pytest.mark.parametrize(
    ('frozen', 'others'), [('worker 0', ['chief 0']), ('chief 0', ['worker 0', 'evaluator 0'])]
)
def test_a_task_that_is_frozen_ends_all_others_with_its_name(data_dir, tmp_path, frozen, others):
    """The system still lets connect to its port."""
    flags = run_flags(data_dir, tmp_path, train_steps=10**6, save_checkpoints_steps=20)
    tasks = Tasks(tmp_path, TOGETHER, flags).start()
    if 'evaluator 0' in others:
        tasks.start('evaluator')
        tasks.wait_for(lambda: 'best so far' in tasks.text('evaluator 0'), 'an evaluation')
    tasks.wait_for(lambda: newest_step(tmp_path) > 0, 'a checkpoint')
    tasks.processes[frozen].send_signal(signal.SIGSTOP)
    began = time.monotonic()
    assert tasks.wait_for_end_of(*others) == [5] * len(others), tasks.texts()
    assert time.monotonic() - began < 60
    job = frozen.split()[0]
    name = f'{frozen if job == "worker" else job} ({tasks.cluster[job][0]})'
    for task in others:
        errors = [line for line in tasks.text(task).splitlines() if line.startswith('error: ')]
        assert len(errors) == 1
        assert errors[0].startswith(f'error: {name} has not answered for 3 s')
        assert 'Traceback' not in tasks.text(task)


# Each takes twice as long and more as a task may say nothing.
SLOW = """
import sys, time
import run
from library.checkpoints.saver import SaveWhereDueHook
from library.modes.evaluations import Evaluations

def slow(name, of):
    inner = getattr(of, name)
    def call(*args, **named):
        time.sleep(14)
        return inner(*args, **named)
    setattr(of, name, call)

slow('_save', SaveWhereDueHook)
slow('evaluate', Evaluations)
sys.exit(run.program())
"""


def test_a_task_that_takes_long_to_save_or_to_evaluate_is_not_taken_for_frozen(data_dir, tmp_path):
    """The chief and the worker save in turns here, so each waits for the other."""
    flags = run_flags(data_dir, tmp_path, train_epochs=1, peer_timeout=6)
    tasks = Tasks(tmp_path, TOGETHER, flags, ['-c', SLOW]).start().start('evaluator')
    assert set(tasks.wait().values()) == {0}, tasks.texts()
    assert newest_step(tmp_path) == 4
    assert read_history(str(tmp_path / 'run'))[-1]['global_step'] == 4
    assert 'has not answered' not in tasks.texts()
    assert 'warning: no step for 6 s' in tasks.text('chief 0')


def test_a_task_that_does_not_start_is_named(data_dir, tmp_path):
    tasks = Tasks(tmp_path, TOGETHER, run_flags(data_dir, tmp_path, cluster_timeout=2))
    assert tasks.start('chief').wait() == {'chief 0': 5}
    address = tasks.cluster['worker'][0]
    assert f'error: worker 0 ({address}) did not start within 2 s' in tasks.text('chief 0')
