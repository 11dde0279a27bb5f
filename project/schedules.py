"""Define the learning-rate schedules: a class each, and one line in SCHEDULES at the end.

Fields are options: flags, and keys of hyperparameters.yaml. The warm-up comes before any of them
(library/training/schedule.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from etils import epy

from library.config.fields import option
from library.errors import ConfigError
from library.training.schedule import Schedule

with epy.lazy_imports():
    import tensorflow as tf


@dataclass(frozen=True)
class Fixed(Schedule):
    """A rate that stays as it is."""

    def rate(
        self, step: tf.Tensor, start: float, steps_per_epoch: float, total_steps: int
    ) -> tf.Tensor:
        """Return the rate of a step; see Schedule.rate."""
        return tf.constant(start, tf.float32)


@dataclass(frozen=True)
class Exponential(Schedule):
    """A rate that is multiplied by a factor every few epochs."""

    learning_rate_decay_factor: float = option(
        0.94, 'Factor by which the rate is multiplied.', above=0, high=1
    )
    num_epochs_per_decay: float | None = option(
        2.0, 'Epochs of one decay; none: all that the run trains.', unit='epochs', above=0
    )
    learning_rate_staircase: bool = option(
        False, 'Change the rate only after each of these spans, not a little in each step.'
    )

    def rate(
        self, step: tf.Tensor, start: float, steps_per_epoch: float, total_steps: int
    ) -> tf.Tensor:
        """Return the rate of a step; see Schedule.rate."""
        steps = _steps(self.num_epochs_per_decay, steps_per_epoch, total_steps)
        times = tf.cast(step, tf.float64) / steps
        if self.learning_rate_staircase:
            # The floor would come a step too late where rounding left a quotient below.
            times = tf.floor(times + 1e-9)
        return start * self.learning_rate_decay_factor ** tf.cast(times, tf.float32)


@dataclass(frozen=True)
class Falling(Schedule):
    """What schedules share that fall to another rate once."""

    num_epochs_per_decay: float | None = option(
        None, 'Epochs of one decay; none: all that the run trains.', unit='epochs', above=0
    )
    end_learning_rate: float = option(0.0, 'Rate at the end of the decay.', low=0)

    def check(self, learning_rate: float, place: Callable[[str], str] = '--{}'.format) -> None:
        """Refuse a rate that would not fall; see Schedule.check."""
        if self.end_learning_rate >= learning_rate:
            raise ConfigError(
                f'{place("end_learning_rate")}: {self.end_learning_rate} is not below the '
                f'learning_rate {learning_rate}'
            )

    def _progress(self, step: tf.Tensor, steps_per_epoch: float, total_steps: int) -> tf.Tensor:
        """Return the share of the decay that is over: 0 to 1."""
        steps = _steps(self.num_epochs_per_decay, steps_per_epoch, total_steps)
        return tf.minimum(tf.cast(step, tf.float32) / steps, 1.0)

    def _between(self, start: float, share: tf.Tensor) -> tf.Tensor:
        """Return the rate where this share of the way to fall is left."""
        return self.end_learning_rate + (start - self.end_learning_rate) * share


@dataclass(frozen=True)
class Polynomial(Falling):
    """A rate that falls to another along a power of the time left."""

    polynomial_decay_power: float = option(1.0, 'The power; 1 is a straight line.', above=0)

    def rate(
        self, step: tf.Tensor, start: float, steps_per_epoch: float, total_steps: int
    ) -> tf.Tensor:
        """Return the rate of a step; see Schedule.rate."""
        progress = self._progress(step, steps_per_epoch, total_steps)
        return self._between(start, (1.0 - progress) ** self.polynomial_decay_power)


@dataclass(frozen=True)
class Cosine(Falling):
    """Half a period of a cosine (Loshchilov and Hutter 2016, arXiv:1608.03983, no restarts)."""

    def rate(
        self, step: tf.Tensor, start: float, steps_per_epoch: float, total_steps: int
    ) -> tf.Tensor:
        """Return the rate of a step; see Schedule.rate."""
        progress = self._progress(step, steps_per_epoch, total_steps)
        return self._between(start, 0.5 * (1.0 + tf.cos(math.pi * progress)))


@dataclass(frozen=True)
class Piecewise(Schedule):
    """A rate for each of several spans of epochs."""

    learning_rate_boundaries: tuple[float, ...] = option(
        (), 'Epochs at which the next rate begins, rising.', unit='epochs', above=0
    )
    learning_rate_values: tuple[float, ...] = option(
        (), 'The rates from each boundary on; learning_rate is the one before the first.', above=0
    )

    after_warmup = False

    def check(self, learning_rate: float, place: Callable[[str], str] = '--{}'.format) -> None:
        """Refuse boundaries and values that do not go together; see Schedule.check."""
        boundaries, values = self.learning_rate_boundaries, self.learning_rate_values
        where = place('learning_rate_boundaries')
        if not boundaries:
            raise ConfigError(f'{where}: piecewise rates take at least one, such as 30,60')
        if any(after <= before for before, after in pairwise(boundaries)):
            joined = ','.join(f'{boundary:g}' for boundary in boundaries)
            raise ConfigError(f'{where}: {joined} do not rise')
        if len(boundaries) != len(values):
            raise ConfigError(
                f'{place("learning_rate_values")}: {len(values)} given, but there are '
                f'{len(boundaries)} learning_rate_boundaries'
            )

    def rate(
        self, step: tf.Tensor, start: float, steps_per_epoch: float, total_steps: int
    ) -> tf.Tensor:
        """Return the rate of the span in which a step lies; a boundary's own step has the next."""
        # Rounded before it is rounded up: 27 * (7 / 3) is a little more than 63.
        boundaries = [
            math.ceil(round(epoch * steps_per_epoch, 6)) for epoch in self.learning_rate_boundaries
        ]
        span = tf.searchsorted(tf.constant(boundaries, tf.int64), step[tf.newaxis], side='right')[0]
        return tf.gather(tf.constant([start, *self.learning_rate_values], tf.float32), span)


def _steps(epochs: float | None, steps_per_epoch: float, total_steps: int) -> float:
    """Return the length of a decay."""
    return float(total_steps) if epochs is None else epochs * steps_per_epoch


SCHEDULES: dict[str, type[Schedule]] = {
    'fixed': Fixed,
    'exponential': Exponential,
    'polynomial': Polynomial,
    'cosine': Cosine,
    'piecewise': Piecewise,
}
