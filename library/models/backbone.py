"""Write a TF-Hub module with other weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from library.checkpoints.scopes import MODULE
from library.errors import MismatchError
from library.models.module_loading import load_module


def save_module(source: str, target: str, weights: Mapping[str, np.ndarray]) -> None:
    """Write the module in `source` with other weights.

    What else it has stays: its `training` argument, which variables are trained, and its
    regularization losses.

    Args:
      source: folder of a module in the TF2 format.
      target: folder of the new one.
      weights: by the names of the variables in a graph that holds the module, under its scope.

    Raises:
      MismatchError: the weights are those of another module.
    """
    names = _names_in_a_graph(source)
    layer = load_module(source, trainable=True)
    for variable, name in zip(layer.variables, names, strict=True):
        if name not in weights or variable.shape != weights[name].shape:
            raise MismatchError(f'{source}: the checkpoint has no weights for its {name}')
        variable.assign(weights[name])
    tf.saved_model.save(layer.resolved_object, target)


def _names_in_a_graph(source: str) -> list[str]:
    """Return what a graph calls the variables of a layer, in the layer's order.

    A module may give one name to several variables; a graph numbers them.
    """
    with tf.Graph().as_default(), tf.compat.v1.variable_scope(MODULE.rstrip('/')):
        return [variable.op.name for variable in load_module(source, trainable=True).variables]
