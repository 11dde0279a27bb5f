"""Compute most of a training step in float16, with weights in float32 (mixed precision).

TensorFlow rewrites the graph when a session is made of it (Micikevicius et al. 2017,
arXiv:1710.03740). Whether it does is a switch of the process: an Estimator has one session
configuration for training and evaluation, of which a model_fn gets a copy.
"""

from __future__ import annotations

import tensorflow as tf

from library.errors import ConfigError
from library.training.options import PrecisionOptions

mixed_precision = tf.compat.v1.mixed_precision


def compute_in_float32() -> None:
    """Take back what an earlier graph of this process asked for; to be called first of all."""
    if tf.config.optimizer.get_experimental_options().get('auto_mixed_precision'):
        mixed_precision.disable_mixed_precision_graph_rewrite()


def with_precision(
    optimizer: tf.compat.v1.train.Optimizer, options: PrecisionOptions
) -> tf.compat.v1.train.Optimizer:
    """Let the session of this graph compute in the precision that is asked for.

    Small gradients would be 0 in float16, so the loss is multiplied by a scale and the gradients
    are divided by it. The scale is fixed, or dynamic: it starts at 32768, doubles after 2000 good
    steps in a row, and halves where a gradient is not finite. Such a step changes no variable and
    does not count.

    Args:
      optimizer: makes the step.
      options: float32 changes nothing.

    Returns:
      An optimizer that scales the loss; the gradients that it gives are not scaled.

    Raises:
      ConfigError: float16 is asked for without a GPU.
    """
    if options.dtype == 'float32':
        return optimizer
    if not tf.config.get_visible_devices('GPU'):
        raise ConfigError('--dtype float16: needs a GPU, and none was found')
    scale = options.loss_scale if options.loss_scale == 'dynamic' else float(options.loss_scale)
    return mixed_precision.enable_mixed_precision_graph_rewrite(optimizer, scale)
