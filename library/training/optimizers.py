"""An optimizer's name and options to a tf.compat.v1.train.Optimizer."""

from __future__ import annotations

import tensorflow as tf

from library.config.fields import Options
from library.training.options import AdamOptions


def make_optimizer(
    learning_rate: float | tf.Tensor, options: Options
) -> tf.compat.v1.train.Optimizer:
    """The optimizer that these options belong to.

    Args:
      learning_rate: a number or a scalar of the graph, never a variable: a checkpoint would bring
        back the old rate when a run goes on with a new one.
      options: an instance of one of the classes in OPTIMIZERS.
    """
    if isinstance(options, AdamOptions):
        return tf.compat.v1.train.AdamOptimizer(
            learning_rate, options.adam_beta1, options.adam_beta2, options.adam_epsilon
        )
    raise TypeError(f'no optimizer takes {type(options).__name__}')
