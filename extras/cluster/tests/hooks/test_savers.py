"""When checkpoints are written where other tasks count steps, or have to help."""

from __future__ import annotations

from functools import partial

import pytest
import tensorflow as tf

from extras.cluster.hooks.scratch_saver import SaveInScratchHook
from extras.cluster.hooks.shared_steps import EndAtStepHook, SaveSharedStepsHook
from library.checkpoints.saver import SaveWhereDueHook


class Told(tf.estimator.CheckpointSaverListener):
    """Notes the steps that it hears of."""

    def __init__(self):
        self.steps = []

    def after_save(self, session, global_step_value):
        self.steps.append(int(global_step_value))


def train(folder, last_step, is_due, at_once=1, meanwhile=(), hook_class=SaveWhereDueHook):
    """Trains in runs that make `at_once` steps each; gives the steps that were saved.

    With hooks that write `meanwhile` it starts from nothing.
    """
    told = Told()
    with tf.Graph().as_default():
        train_op = tf.compat.v1.train.get_or_create_global_step().assign_add(at_once)
        saver = tf.compat.v1.train.Saver(save_relative_paths=True)
        tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.SAVERS, saver)
        hook = hook_class(str(folder), is_due=is_due, listeners=[told])
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


def helper(scratch):
    """Makes the hook of a task that helps to save."""
    return partial(SaveInScratchHook, scratch_dir=str(scratch))


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
    found = train(
        tmp_path, 15, lambda step, _: step in due, at_once=3, hook_class=SaveSharedStepsHook
    )
    assert found == saved


def test_each_step_is_judged_once_however_many_pass(tmp_path):
    judged = []
    train(
        tmp_path, 6, lambda step, _: judged.append(step), at_once=2, hook_class=SaveSharedStepsHook
    )
    assert judged == [1, 2, 3, 4, 5, 6]


def names(folder):
    return sorted(path.name for path in folder.glob('model.ckpt-*.index'))


def test_a_helper_saves_at_the_same_steps_in_a_folder_of_its_own(tmp_path):
    run, scratch = tmp_path / 'run', tmp_path / 'scratch'
    run.mkdir()
    found = train(run, 7, lambda step, _: step % 3 == 0, hook_class=helper(scratch))
    assert found == [0, 3, 6, 7]
    assert list(run.iterdir()) == []
    assert names(scratch) == [f'model.ckpt-{step}.index' for step in (0, 3, 6, 7)]


def test_a_helper_does_not_save_what_the_run_started_from(tmp_path):
    train(tmp_path, 4, lambda step, _: False)
    scratch = tmp_path / 'scratch'
    found = train(tmp_path, 6, lambda step, _: False, hook_class=helper(scratch))
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
    found = train(run, 2, lambda *_: False, meanwhile=meanwhile, hook_class=helper(scratch))
    assert found == [0, 2]
    assert names(scratch) == ['model.ckpt-0.index', 'model.ckpt-2.index']
