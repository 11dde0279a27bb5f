"""Decide whether checkpoints hold a frozen TF-Hub module, as they must if it was warm-started."""

from __future__ import annotations

import tensorflow as tf

from library.checkpoints.scopes import LEFT_OUT, MODULE
from library.models.module_loading import load_module


def keep_out_of_checkpoints(variables: list[tf.Variable]) -> None:
    """Move variables from the global to the local ones.

    The Saver then leaves them out, and the initializer of local variables loads them from the
    module at every start, resume included. All replicas of a strategy have the same variables: the
    first one moves them.
    """
    wanted = {id(variable) for variable in variables}
    listed = tf.compat.v1.get_collection_ref(tf.compat.v1.GraphKeys.GLOBAL_VARIABLES)
    moved = [variable for variable in listed if id(variable) in wanted]
    listed[:] = [variable for variable in listed if id(variable) not in wanted]
    for variable in moved:
        tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.LOCAL_VARIABLES, variable)


def keep_in_checkpoints(folder: str, training: bool) -> None:
    """Let a graph on features save the weights that a warm start put into its module.

    Args:
      folder: of the module.
      training: otherwise nothing is saved, and the graph only notes that it lacks the module.
    """
    if not training:
        tf.compat.v1.add_to_collection(LEFT_OUT, True)
        return
    with tf.compat.v1.variable_scope(MODULE.rstrip('/')):
        load_module(folder, trainable=False)
