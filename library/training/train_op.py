"""Make one step of training of a loss, with all that a run's options put around the optimizer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import TypeAlias

import tensorflow as tf

from library.checkpoints.newest import newest_checkpoint
from library.config.hparams import HParams
from library.hooks.watched import add_summary
from library.training.moving_average import averaged_variables, update_averages
from library.training.multipliers import with_multipliers
from library.training.options import FineTuningOptions, PrecisionOptions
from library.training.precision import with_precision
from library.training.warm_start import warm_start

Gradient: TypeAlias = tf.Tensor | tf.IndexedSlices
Optimizer: TypeAlias = tf.compat.v1.train.Optimizer

_WRAP: ContextVar[Callable[[Optimizer], Optimizer]] = ContextVar(
    'wrap', default=lambda given: given
)


@contextlib.contextmanager
def wrapping_optimizers(wrap: Callable[[Optimizer], Optimizer]) -> Iterator[None]:
    """Let each `make_train_op` within step by another optimizer.

    Args:
      wrap: makes it of the optimizer that the model_fn made.
    """
    token = _WRAP.set(wrap)
    try:
        yield
    finally:
        _WRAP.reset(token)


def training_step(
    loss: tf.Tensor,
    learning_rate: tf.Tensor,
    make_optimizer: Callable[[tf.Tensor], Optimizer],
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


def make_train_op(
    loss: tf.Tensor,
    optimizer: Optimizer,
    variables: Sequence[tf.Variable],
    *,
    clip_norm: float | None = None,
    moving_average_decay: float = 0.0,
) -> tf.Operation:
    """Make one step of gradient descent on the named variables.

    Args:
      loss: scalar.
      optimizer: makes the step; see `wrapping_optimizers`.
      variables: what is trained. The graph's own collection of trainable variables is not asked:
        it lacks the variables of a TF-Hub module on one device, and holds them, frozen or not,
        under a strategy.
      clip_norm: largest norm of the gradient; see `clipped`.
      moving_average_decay: of the averages of all variables; see `moving_average`. 0 is none.

    Returns:
      An operation that changes the variables, runs pending updates (batch norm), counts the
      global step, and then updates the averages.

    Raises:
      ValueError: there is nothing to train.
    """
    unique = list({id(variable): variable for variable in variables}.values())
    if not unique:
        raise ValueError('the model named no variables to train (Model.variables_to_train)')
    optimizer = _WRAP.get()(optimizer)
    step = tf.compat.v1.train.get_or_create_global_step()
    # Before the optimizer has made variables of its own.
    averaged = averaged_variables(optimizer) if moving_average_decay else []
    updates = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.UPDATE_OPS)
    gradients = clipped(optimizer.compute_gradients(loss, unique), clip_norm)
    done_before = tf.identity(step)
    with tf.control_dependencies([*updates, done_before]):
        train_op = optimizer.apply_gradients(gradients, global_step=step)
    if not averaged:
        return train_op
    with tf.control_dependencies([train_op]):
        return update_averages(averaged, moving_average_decay, done_before)


def clipped(
    gradients: Sequence[tuple[Gradient | None, tf.Variable]], norm: float | None
) -> Sequence[tuple[Gradient | None, tf.Variable]]:
    """Scale all gradients together so that their norm is at most `norm`; report what it was.

    It is the norm of the whole step's gradient (Pascanu et al. 2013, arXiv:1211.5063): under a
    strategy that of the sum over the replicas, so that one device and several make the same step
    of the same batch. Adds its value before clipping to the summaries, as 'gradient_norm'.

    Args:
      gradients: pairs as an optimizer's compute_gradients gives them.
      norm: above 0; None leaves the gradients as they are.

    Returns:
      Pairs for apply_gradients. If the norm is not finite, nor are gradients that were scaled.
    """
    given = [(gradient, variable) for gradient, variable in gradients if gradient is not None]
    if not given:
        return gradients
    values = tf.distribute.get_replica_context().merge_call(_sum_over_replicas, args=(given,))
    if norm is None:
        return gradients
    before = tf.linalg.global_norm(values)
    values, _ = tf.clip_by_global_norm(values, norm, use_norm=before)
    # The optimizer will sum over the replicas once more.
    share = 1.0 / tf.distribute.get_strategy().num_replicas_in_sync
    return [
        (_times(value, share), variable) for value, (_, variable) in zip(values, given, strict=True)
    ]


def _sum_over_replicas(
    strategy: tf.distribute.Strategy, gradients: Sequence[tuple[Gradient, tf.Variable]]
) -> list[Gradient]:
    sums = strategy.extended.batch_reduce_to(tf.distribute.ReduceOp.SUM, gradients)
    # Where nothing is clipped, the norm is computed in the steps that write summaries alone. Each
    # worker must write it then: what one of them alone sums up would wait for the others.
    norm = tf.linalg.global_norm([strategy.experimental_local_results(each)[0] for each in sums])
    add_summary(tf.raw_ops.ScalarSummary(tags='gradient_norm', values=norm))
    return sums


def _times(gradient: Gradient, factor: float) -> Gradient:
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(gradient.values * factor, gradient.indices, gradient.dense_shape)
    return gradient * factor
