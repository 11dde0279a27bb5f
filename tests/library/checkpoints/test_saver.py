"""When checkpoints are written."""

from __future__ import annotations

import itertools
import os

import tensorflow as tf

from library.checkpoints.saver import SaveWhereDueHook


class Told(tf.estimator.CheckpointSaverListener):
    """Notes the steps that it hears of."""

    def __init__(self):
        self.steps = []

    def after_save(self, session, global_step_value):
        self.steps.append(int(global_step_value))


class EndsAt(tf.estimator.SessionRunHook):
    """Ends training once the graph has counted so many steps."""

    def __init__(self, last_step):
        self.last_step = last_step

    def begin(self):
        self.step = tf.compat.v1.train.get_global_step()

    def after_run(self, run_context, run_values):
        if run_context.session.run(self.step) >= self.last_step:
            run_context.request_stop()


def train(folder, last_step, is_due, skipped=0):
    """Trains, with one run of the session that counts no step; gives the steps that were saved."""
    told = Told()
    with tf.Graph().as_default():
        step = tf.compat.v1.train.get_or_create_global_step()
        runs = tf.compat.v1.get_local_variable('runs', initializer=0, use_resource=True)
        with tf.control_dependencies([runs.assign_add(1)]):
            counts = tf.not_equal(runs.read_value(), skipped)
        train_op = step.assign_add(tf.cast(counts, tf.int64))
        saver = tf.compat.v1.train.Saver(save_relative_paths=True)
        tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.SAVERS, saver)
        hook = SaveWhereDueHook(str(folder), is_due, [told])
        with tf.compat.v1.train.MonitoredTrainingSession(
            checkpoint_dir=str(folder),
            hooks=[hook, EndsAt(last_step)],
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
