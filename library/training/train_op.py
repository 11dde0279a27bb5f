"""Loss and optimizer to one training step."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf


def make_train_op(
    loss: tf.Tensor,
    optimizer: tf.compat.v1.train.Optimizer,
    variables: Sequence[tf.Variable],
) -> tf.Operation:
    """One step of gradient descent on the named variables.

    Args:
      loss: scalar.
      optimizer: makes the step.
      variables: what is trained. The graph's own collection of trainable variables is not asked:
        it lacks the variables of a TF-Hub module on one device, and holds them, frozen or not,
        under a strategy.

    Returns:
      An operation that changes the variables, runs pending updates (batch norm) and counts the
      global step.

    Raises:
      ValueError: there is nothing to train.
    """
    unique = list({id(variable): variable for variable in variables}.values())
    if not unique:
        raise ValueError('the model named no variables to train (Model.variables_to_train)')
    step = tf.compat.v1.train.get_or_create_global_step()
    updates = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.UPDATE_OPS)
    with tf.control_dependencies(updates):
        return optimizer.minimize(loss, global_step=step, var_list=unique)
