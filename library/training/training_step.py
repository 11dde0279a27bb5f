"""Make one step of training of a loss, with all that a run's options put around the optimizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

from library.checkpoints.newest import newest_checkpoint
from library.config.hparams import HParams
from library.training.multipliers import with_multipliers
from library.training.options import FineTuningOptions, PrecisionOptions
from library.training.precision import with_precision
from library.training.train_op import make_train_op
from library.training.warm_start import warm_start


def training_step(
    loss: tf.Tensor,
    learning_rate: tf.Tensor,
    make_optimizer: Callable[[tf.Tensor], tf.compat.v1.train.Optimizer],
    variables: Sequence[tf.Variable],
    multipliers: Mapping[str, float],
    num_classes: int,
    params: HParams,
) -> tf.Operation:
    """Start from other weights where that is asked for, and make the step.

    Args:
      loss: scalar.
      learning_rate: float32 scalar.
      make_optimizer: gives an optimizer for a learning rate.
      variables: what is trained.
      multipliers: by scope, what the learning rate is multiplied by there.
      num_classes: how many logits the model gives.
      params: the run's HParams.
    """
    # Before the optimizer: its own variables are no part of the model.
    if params.warm_start_ckpt and newest_checkpoint(params.model_dir) is None:
        warm_start(params.take(FineTuningOptions), num_classes)
    optimizer = with_multipliers(make_optimizer, learning_rate, multipliers)
    optimizer = with_precision(optimizer, params.take(PrecisionOptions))
    return make_train_op(
        loss,
        optimizer,
        variables,
        clip_norm=params.gradient_clip_norm,
        moving_average_decay=params.moving_average_decay,
    )
