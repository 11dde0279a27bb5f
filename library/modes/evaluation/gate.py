"""Judge metrics by what a person asks of them; imports no TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from library.config.hparams import HParams
from library.errors import ConfigError, GateError
from library.suggestions import nearest_or_all

# Metrics come in float32, where 0.9 is 0.89999998.
PRECISION = 1e-7


@dataclass(frozen=True)
class Limit:
    """What one metric must reach.

    Attributes:
      metric: its name in metrics.json.
      number: the limit, which is itself good enough.
      is_least: the metric may not be less; else it may not be more.
      place: where a person wrote it, for messages.
    """

    metric: str
    number: float
    is_least: bool
    place: str

    def miss(self, value: float | None) -> str | None:
        """Say what is wrong with a metric of this value, as a clause; None if nothing is."""
        if value is None:
            return f'{self.metric} is not a finite number'
        beyond = value < self.number if self.is_least else value > self.number
        if not beyond or math.isclose(value, self.number, rel_tol=PRECISION):
            return None
        side = 'below' if self.is_least else 'above'
        # Six digits are easier to read, eight tell any two numbers apart that miss each other.
        digits = 6 if f'{value:.6g}' != f'{self.number:.6g}' else 8
        return f'{self.metric} {value:.{digits}g} is {side} {self.number:.{digits}g}'


def limits_of(hparams: HParams) -> tuple[Limit, ...]:
    """Read what --fail_below and --fail_above say; raises as `parse`."""
    least, most = (
        parse(getattr(hparams, name), hparams.place(name), name == 'fail_below')
        for name in ('fail_below', 'fail_above')
    )
    return least + most


def parse(texts: Sequence[str], place: str, is_least: bool) -> tuple[Limit, ...]:
    """Read limits as they are written.

    Args:
      texts: METRIC=NUMBER each.
      place: where they are written.
      is_least: the metrics may not be less; else they may not be more.

    Raises:
      ConfigError: one of them is written in another way.
    """
    limits = []
    for text in texts:
        metric, equals, number = (part.strip() for part in text.partition('='))
        if not metric or not equals:
            raise ConfigError(f'{place}: {text!r} is not METRIC=NUMBER, such as accuracy=0.9')
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ConfigError(f'{place}: {number!r} in {text!r} is not a number')
        limits.append(Limit(metric, value, is_least, place))
    return tuple(limits)


def check_gate(metrics: Mapping[str, object], limits: Sequence[Limit]) -> None:
    """Hold metrics against their limits.

    Args:
      metrics: as metrics.json has them; None is a number that is not finite.
      limits: what was asked.

    Raises:
      ConfigError: there is no such metric.
      GateError: a limit is missed; the message names all that are.
    """
    numbers = {
        name: value
        for name, value in metrics.items()
        if value is None or isinstance(value, (int, float))
    }
    for limit in limits:
        if limit.metric not in numbers:
            near = nearest_or_all(limit.metric, numbers)
            raise ConfigError(f'{limit.place}: no metric {limit.metric!r}{near}')
    misses = [limit.miss(numbers[limit.metric]) for limit in limits]
    if any(misses):
        raise GateError(f'not good enough: {"; ".join(miss for miss in misses if miss)}')
