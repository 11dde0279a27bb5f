"""Define what a schedule of project/schedules.py is, and put the warm-up before it."""

from __future__ import annotations

import abc
from collections.abc import Callable

from etils import epy

from library.config.fields import HYPERPARAMETERS, Options

with epy.lazy_imports():
    import tensorflow as tf


class Schedule(Options, abc.ABC, group='training', home=HYPERPARAMETERS):
    """How the rate changes; a subclass is a frozen dataclass whose fields are its options.

    Attributes:
      after_warmup: `rate` counts steps from the end of the warm-up, and not from the run's start.
    """

    after_warmup = True

    @abc.abstractmethod
    def rate(
        self, step: tf.Tensor, start: float, steps_per_epoch: float, total_steps: int
    ) -> tf.Tensor:
        """Give the rate of a step, a pure function of it: a resumed run goes on where it was.

        Args:
          step: int64 scalar, the steps done before.
          start: the rate where the schedule starts.
          steps_per_epoch: steps in which each training image is seen once; need not be whole.
          total_steps: where the run ends, counted as `step` is.

        Returns:
          float32 scalar.
        """

    def check(self, learning_rate: float, place: Callable[[str], str] = '--{}'.format) -> None:
        """Refuse options that do not go together, before TensorFlow is imported.

        Args:
          learning_rate: where the schedule starts.
          place: gives where an option of this name was set, for the messages.

        Raises:
          ConfigError: they do not, or not with this rate.
        """


def learning_rate(
    schedule: Schedule,
    step: tf.Tensor,
    start: float,
    *,
    steps_per_epoch: float,
    total_steps: int,
    warmup_epochs: float,
) -> tf.Tensor:
    """Give the learning rate of a step, warm-up included.

    In the warm-up (Goyal et al. 2017, arXiv:1706.02677, section 2.2) the rate is multiplied by
    (step + 1) / warmup_steps. A schedule that spans the whole run begins where the warm-up ends
    and ends with the run. A warm-up longer than the run is legal: the run then ends before the
    rate is at its height.

    Args:
      schedule: with its options.
      step: integer scalar, the steps done before.
      start: the rate where the schedule starts.
      steps_per_epoch: steps in which each training image is seen once; need not be whole.
      total_steps: where the run ends.
      warmup_epochs: length of the warm-up, rounded to whole steps.

    Returns:
      float32 scalar.
    """
    step = tf.cast(step, tf.int64)
    warmup_steps = round(warmup_epochs * steps_per_epoch)
    if schedule.after_warmup:
        after = tf.maximum(step - warmup_steps, 0)
        left = max(total_steps - warmup_steps, 1)
        rate = schedule.rate(after, start, steps_per_epoch, left)
    else:
        rate = schedule.rate(step, start, steps_per_epoch, total_steps)
    if not warmup_steps:
        return rate
    return rate * tf.minimum(tf.cast(step + 1, tf.float32) / warmup_steps, 1.0)
