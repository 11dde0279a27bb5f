"""Numbers that are not finite are never saved."""

from __future__ import annotations

import pytest
import tensorflow as tf

from library.checkpoints.saver import SaveWhereDueHook
from library.errors import NumericalError
from library.hooks.finite import FiniteLossHook, FiniteVariablesListener


def train(folder, losses, weights=None):
    """One step for each loss; a step's weight is what it leaves in the variable."""
    weights = weights or [0.0] * len(losses)
    with tf.Graph().as_default():
        step = tf.compat.v1.train.get_or_create_global_step()
        weight = tf.compat.v1.get_variable('weight', initializer=0.0)
        loss = tf.gather(tf.constant(losses), step)
        with tf.control_dependencies([loss, weight.assign(tf.gather(weights, step))]):
            train_op = step.assign_add(1)
        tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.LOSSES, loss)
        saver = tf.compat.v1.train.Saver(save_relative_paths=True)
        tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.SAVERS, saver)
        hook = SaveWhereDueHook(str(folder), lambda step, seconds: True)
        hook._listeners.append(FiniteVariablesListener())
        with tf.compat.v1.train.MonitoredTrainingSession(
            checkpoint_dir=str(folder),
            hooks=[FiniteLossHook(), hook, tf.estimator.StopAtStepHook(last_step=len(losses))],
            save_checkpoint_secs=None,
            save_summaries_steps=None,
            save_summaries_secs=None,
            log_step_count_steps=None,
        ) as session:
            while not session.should_stop():
                session.run(train_op)


@pytest.mark.parametrize('bad', [float('nan'), float('inf'), float('-inf')])
@pytest.mark.parametrize('at', [2, 4])
def test_a_bad_loss_ends_the_run_at_its_step_also_the_last_and_is_not_saved(tmp_path, bad, at):
    losses = [1.0] * 4
    losses[at - 1] = bad
    with pytest.raises(NumericalError, match=rf'step {at}: the loss is {bad}') as error:
        train(tmp_path, losses)
    assert error.value.exit_code == 6
    assert tf.train.latest_checkpoint(str(tmp_path)).endswith(f'model.ckpt-{at - 1}')


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
def test_a_bad_variable_is_not_saved_even_if_the_loss_is_good(tmp_path, bad):
    with pytest.raises(NumericalError, match='step 3: a variable is not finite any more'):
        train(tmp_path, [1.0] * 3, [0.0, 0.0, bad])
    assert tf.train.latest_checkpoint(str(tmp_path)).endswith('model.ckpt-2')


def test_a_good_run_ends_as_ever(tmp_path):
    train(tmp_path, [1.0] * 3)
    assert tf.train.latest_checkpoint(str(tmp_path)).endswith('model.ckpt-3')


def test_where_no_variable_could_be_spoiled_a_save_goes_on():
    listener = FiniteVariablesListener()
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.get_variable('count', initializer=1)
        listener.begin()
        listener.before_save(session, 1)
