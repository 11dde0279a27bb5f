"""A step to its learning rate."""

from __future__ import annotations

import math

import tensorflow as tf

from library.config.fields import Options
from library.training.options import (
    ExponentialOptions,
    FallingOptions,
    FixedOptions,
    PiecewiseOptions,
    PolynomialOptions,
)


def learning_rate(
    step: tf.Tensor,
    start: float,
    options: Options,
    *,
    steps_per_epoch: float,
    total_steps: int,
    warmup_epochs: float,
) -> tf.Tensor:
    """The learning rate of a step, a pure function of it: a resumed run goes on where it was.

    In the warm-up (Goyal et al. 2017, arXiv:1706.02677, section 2.2) the rate is multiplied by
    (step + 1) / warmup_steps. Decays begin where it ends, and where they span the whole run they
    end with it; the boundaries of piecewise rates count from the start of the run. A warm-up
    longer than the run is legal: the run then ends before the rate is at its height.

    Args:
      step: integer scalar, the steps done before.
      start: the rate where the schedule starts.
      options: an instance of a class in SCHEDULES.
      steps_per_epoch: steps in which each training image is seen once; need not be whole.
      total_steps: where the run ends.
      warmup_epochs: length of the warm-up, rounded to whole steps.

    Returns:
      float32 scalar.

    Raises:
      TypeError: the options belong to no schedule.
    """
    step = tf.cast(step, tf.int64)
    warmup_steps = round(warmup_epochs * steps_per_epoch)
    if isinstance(options, PiecewiseOptions):
        rate = _piecewise(step, start, options, steps_per_epoch)
    else:
        after = tf.maximum(step - warmup_steps, 0)
        left = max(total_steps - warmup_steps, 1)
        rate = _decayed(after, start, options, steps_per_epoch, left)
    if not warmup_steps:
        return rate
    return rate * tf.minimum(tf.cast(step + 1, tf.float32) / warmup_steps, 1.0)


def _decayed(
    step: tf.Tensor, start: float, options: Options, steps_per_epoch: float, left: int
) -> tf.Tensor:
    """The rate `step` steps after the warm-up, of `left` to the end of the run."""
    if isinstance(options, FixedOptions):
        return tf.constant(start, tf.float32)
    if not isinstance(options, ExponentialOptions | FallingOptions):
        raise TypeError(f'no schedule takes {type(options).__name__}')
    epochs = options.num_epochs_per_decay
    steps = float(left) if epochs is None else epochs * steps_per_epoch
    if isinstance(options, ExponentialOptions):
        times = tf.cast(step, tf.float64) / steps
        if options.learning_rate_staircase:
            # The floor would come a step too late where rounding left a quotient below.
            times = tf.floor(times + 1e-9)
        return start * options.learning_rate_decay_factor ** tf.cast(times, tf.float32)
    progress = tf.cast(step, tf.float32) / steps
    progress = tf.minimum(progress, 1.0)
    if isinstance(options, PolynomialOptions):
        share = (1.0 - progress) ** options.polynomial_decay_power
    else:
        share = 0.5 * (1.0 + tf.cos(math.pi * progress))
    return options.end_learning_rate + (start - options.end_learning_rate) * share


def _piecewise(
    step: tf.Tensor, start: float, options: PiecewiseOptions, steps_per_epoch: float
) -> tf.Tensor:
    """The rate of the span that the step lies in; a boundary's own step has the next rate."""
    # Rounded before it is rounded up: 27 * (7 / 3) is a little more than 63.
    boundaries = [
        math.ceil(round(epoch * steps_per_epoch, 6)) for epoch in options.learning_rate_boundaries
    ]
    span = tf.searchsorted(tf.constant(boundaries, tf.int64), step[tf.newaxis], side='right')[0]
    return tf.gather(tf.constant([start, *options.learning_rate_values], tf.float32), span)
