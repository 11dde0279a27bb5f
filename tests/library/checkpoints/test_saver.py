"""When checkpoints are written."""

from __future__ import annotations

import itertools
import os

import pytest
import tensorflow as tf

from library.checkpoints.saver import SaveWhereDueHook
from library.hooks.end_where import EndAtStepHook


class Told(tf.estimator.CheckpointSaverListener):
    """Notes the steps that it hears of."""

    def __init__(self):
        self.steps = []

    def after_save(self, session, global_step_value):
        self.steps.append(int(global_step_value))


def train(folder, last_step, is_due, skipped=0, at_once=1, meanwhile=(), **hook_options):
    """Trains, with one run of the session that counts no step; gives the steps that were saved.

    Each run makes `at_once` steps. With hooks that write `meanwhile` it starts from nothing.
    """
    told = Told()
    with tf.Graph().as_default():
        step = tf.compat.v1.train.get_or_create_global_step()
        runs = tf.compat.v1.get_local_variable('runs', initializer=0, use_resource=True)
        with tf.control_dependencies([runs.assign_add(1)]):
            counts = tf.not_equal(runs.read_value(), skipped)
        train_op = step.assign_add(tf.cast(counts, tf.int64) * at_once)
        saver = tf.compat.v1.train.Saver(save_relative_paths=True)
        tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.SAVERS, saver)
        hook = SaveWhereDueHook(str(folder), is_due, [told], **hook_options)
        with tf.compat.v1.train.MonitoredTrainingSession(
            checkpoint_dir=None if meanwhile else str(folder),
            hooks=[hook, *meanwhile, EndAtStepHook(last_step)],
            save_checkpoint_secs=None,
            save_summaries_steps=None,
            save_summaries_secs=None,
            log_step_count_steps=None,
        ) as session:
            while not session.should_stop():
                session.run(train_op)
    return told.steps


def test_it_saves_at_the_start_where_due_and_at_the_end(tmp_path):
    assert train(tmp_path, 7, lambda step, seconds: step % 3 == 0) == [0, 3, 6, 7]


def test_a_resumed_run_saves_at_the_same_steps_as_one_that_never_stopped(tmp_path):
    train(tmp_path, 4, lambda step, seconds: step % 3 == 0)
    assert train(tmp_path, 10, lambda step, seconds: step % 3 == 0) == [4, 6, 9, 10]


def test_a_resume_does_not_write_the_checkpoint_that_it_reads(tmp_path):
    train(tmp_path, 4, lambda step, seconds: False)
    index = tmp_path / 'model.ckpt-4.index'
    before = os.stat(index)
    train(tmp_path, 6, lambda step, seconds: False)
    assert os.stat(index).st_mtime_ns == before.st_mtime_ns
    assert os.stat(index).st_ino == before.st_ino


def test_a_step_that_was_just_saved_is_not_saved_again_at_the_end(tmp_path):
    assert train(tmp_path, 6, lambda step, seconds: step % 3 == 0) == [0, 3, 6]


def test_steps_that_a_loss_scale_left_out_do_not_shift_the_checkpoints(tmp_path):
    assert train(tmp_path, 9, lambda step, seconds: step % 4 == 0, skipped=3) == [0, 4, 8, 9]


def test_it_tells_how_long_ago_the_last_checkpoint_was(tmp_path, monkeypatch):
    clock = itertools.count()  # a second passes with every look
    monkeypatch.setattr('library.checkpoints.saver.time.monotonic', lambda: next(clock))
    # One look a step, and one more when it has saved.
    assert train(tmp_path, 7, lambda step, seconds: seconds >= 3) == [0, 3, 6, 7]


@pytest.mark.parametrize(
    ('due', 'saved'),
    [
        # Runs end at the steps 3, 6, 9, 12 and 15.
        ({3}, [0, 3, 15]),  # the last of those that passed
        ({4}, [0, 6, 15]),  # the first of them
        ({8}, [0, 9, 15]),  # in the middle
        ({4, 5, 6}, [0, 6, 15]),  # several at once
        ({5, 7}, [0, 6, 9, 15]),  # in two runs
        ({15}, [0, 15]),
    ],
)
def test_where_others_count_too_a_run_is_saved_if_a_step_that_passed_was_due(tmp_path, due, saved):
    found = train(tmp_path, 15, lambda step, _: step in due, at_once=3, counts_alone=False)
    assert found == saved


def test_each_step_is_judged_once_however_many_pass(tmp_path):
    judged = []
    train(tmp_path, 6, lambda step, _: judged.append(step), at_once=2, counts_alone=False)
    assert judged == [1, 2, 3, 4, 5, 6]


def names(folder):
    return sorted(path.name for path in folder.glob('model.ckpt-*.index'))


def test_a_helper_saves_at_the_same_steps_in_a_folder_of_its_own(tmp_path):
    run, scratch = tmp_path / 'run', tmp_path / 'scratch'
    run.mkdir()
    found = train(run, 7, lambda step, _: step % 3 == 0, scratch_dir=str(scratch))
    assert found == [0, 3, 6, 7]
    assert list(run.iterdir()) == []
    assert names(scratch) == [f'model.ckpt-{step}.index' for step in (0, 3, 6, 7)]


def test_a_helper_does_not_save_what_the_run_started_from(tmp_path):
    train(tmp_path, 4, lambda step, _: False)
    scratch = tmp_path / 'scratch'
    found = train(tmp_path, 6, lambda step, _: False, scratch_dir=str(scratch))
    assert found == [4, 6]
    assert names(scratch) == ['model.ckpt-6.index']
    assert names(tmp_path) == ['model.ckpt-0.index', 'model.ckpt-4.index']


class SavesFirst(tf.estimator.SessionRunHook):
    """Another task, which saves in the run's folder while this one makes its graph."""

    def __init__(self, folder):
        self.folder = folder

    def begin(self):
        (self.folder / 'model.ckpt-0.index').touch()
        (self.folder / 'checkpoint').write_text('model_checkpoint_path: "model.ckpt-0"\n')


def test_a_helper_saves_along_although_the_chief_has_saved_meanwhile(tmp_path):
    """Else the chief would wait for its part for ever."""
    run, scratch = tmp_path / 'run', tmp_path / 'scratch'
    run.mkdir()
    meanwhile = [SavesFirst(run)]
    assert train(run, 2, lambda *_: False, meanwhile=meanwhile, scratch_dir=str(scratch)) == [0, 2]
    assert names(scratch) == ['model.ckpt-0.index', 'model.ckpt-2.index']
