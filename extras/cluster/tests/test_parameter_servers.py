"""A chief, a worker, a parameter server and an evaluator on this machine."""

from __future__ import annotations

import re
import signal
import time

import pytest

from extras.cluster.tests.started_tasks import Tasks, newest_step, run_flags
from library.exporters.history import read_history

pytestmark = pytest.mark.process

SERVED = {'chief': 1, 'worker': 1, 'ps': 1}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('served')


@pytest.fixture(scope='module')
def frozen(module_dir):
    """A frozen module, which each worker has for itself."""
    return {
        'model': 'hub',
        'module': module_dir,
        'image_size': 32,
        'cache_features': 'false',
        'learning_rate': 0.01,
    }


@pytest.fixture(scope='module')
def finished(data_dir, folder, frozen):
    """Twenty epochs of four steps, each step one task's."""
    values = {'train_epochs': 20, **frozen}
    tasks = Tasks(folder / 'first', SERVED, run_flags(data_dir, folder, **values))
    codes = tasks.start().start('evaluator').wait()
    assert set(codes.values()) == {0}, tasks.texts()
    return tasks


def test_the_tasks_make_the_steps_of_the_run_and_at_most_one_more(finished, folder):
    """A worker that is in a step when the chief makes the last one ends it."""
    assert newest_step(folder) in (80, 81)
    assert re.search('step 8[01]: all 80 steps are trained', finished.text('chief 0'))
    assert 'serving variables to 2 tasks' in finished.text('ps 0')


def test_the_evaluator_keeps_the_best_of_what_the_chief_saves(finished, folder):
    assert read_history(str(folder / 'run'))[-1]['global_step'] == newest_step(folder)
    assert (folder / 'best' / 'best.json').exists()


def test_gradients_in_sync_go_on_from_there_and_the_chief_ends_soon(
    finished, frozen, data_dir, folder
):
    values = {'train_epochs': 30, 'sync_replicas': 'true', **frozen}
    tasks = Tasks(folder / 'sync', SERVED, run_flags(data_dir, folder, **values)).start()
    last = folder / 'run' / 'model.ckpt-120.index'
    tasks.wait_for(last.exists, 'the last checkpoint')
    saved = time.monotonic()
    assert set(tasks.wait().values()) == {0}, tasks.texts()
    assert newest_step(folder) == 120
    # TensorFlow's own hook would wait for two minutes; without it this takes a few seconds.
    assert tasks.ended['chief 0'] - saved < 60
    assert 'never used' not in tasks.texts()


def test_a_lost_worker_is_reported_and_joins_again(data_dir, frozen, tmp_path):
    """The module is trained, too: the parameter server has it."""
    values = {'train_steps': 10**6, 'save_checkpoints_steps': 50, **frozen}
    values |= {'cache_features': 'none', 'fine_tuning': 'true'}
    tasks = Tasks(tmp_path, SERVED, run_flags(data_dir, tmp_path, **values)).start()
    tasks.wait_for(lambda: newest_step(tmp_path) >= 50, 'a checkpoint')
    tasks.kill('worker 0')
    address = tasks.cluster['worker'][0]
    warning = f'warning: worker 0 ({address}) has not answered for 3 s'
    tasks.wait_for(lambda: warning in tasks.text('chief 0'), 'the warning')
    before = newest_step(tmp_path)
    tasks.wait_for(lambda: newest_step(tmp_path) > before, 'a checkpoint without the worker')
    tasks.start('worker 0')
    back = f'worker 0 ({address}) is back'
    tasks.wait_for(lambda: back in tasks.text('chief 0'), 'its return')
    # A chief that is stopped stops all.
    tasks.processes['chief 0'].send_signal(signal.SIGTERM)
    assert tasks.wait() == {'chief 0': 143, 'worker 0': 143, 'ps 0': 143}, tasks.texts()
    assert 'stopped by SIGTERM after a checkpoint' in tasks.text('chief 0')
