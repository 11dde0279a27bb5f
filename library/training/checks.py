"""Options of training that are legal alone but not together; free of TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

from library.config.fields import Options
from library.errors import ConfigError
from library.training.options import FallingOptions, PiecewiseOptions


def check_schedule(
    learning_rate: float, options: Options, place: Callable[[str], str] = '--{}'.format
) -> None:
    """Checks a schedule against the rate that it starts from.

    Args:
      learning_rate: where the schedule starts.
      options: an instance of a class in SCHEDULES.
      place: gives where an option of this name was set, for the messages.

    Raises:
      ConfigError: boundaries and values do not go together, or the rate would rise.
    """
    if isinstance(options, PiecewiseOptions):
        _check_piecewise(options.learning_rate_boundaries, options.learning_rate_values, place)
    elif isinstance(options, FallingOptions) and options.end_learning_rate >= learning_rate:
        raise ConfigError(
            f'{place("end_learning_rate")}: {options.end_learning_rate} is not below the '
            f'learning_rate {learning_rate}'
        )


def check_loss_scale(loss_scale: str, place: str = '--loss_scale') -> None:
    """Raises ConfigError unless the text is 'dynamic' or a finite number of at least 1."""
    if loss_scale == 'dynamic':
        return
    try:
        number = float(loss_scale)
    except ValueError:
        number = math.nan
    # Below 1 small gradients would be lost, which loss scaling is there to save.
    if not (math.isfinite(number) and number >= 1):
        raise ConfigError(
            f'{place}: {loss_scale!r} is neither dynamic nor a number of at least 1 such as 128'
        )


def _check_piecewise(
    boundaries: tuple[float, ...], values: tuple[float, ...], place: Callable[[str], str]
) -> None:
    if not boundaries:
        raise ConfigError(
            f'{place("learning_rate_boundaries")}: piecewise rates take at least one, such as 30,60'
        )
    if any(after <= before for before, after in pairwise(boundaries)):
        raise ConfigError(f'{place("learning_rate_boundaries")}: {_joined(boundaries)} do not rise')
    if len(boundaries) != len(values):
        raise ConfigError(
            f'{place("learning_rate_values")}: {len(values)} given, but there are '
            f'{len(boundaries)} learning_rate_boundaries'
        )


def _joined(numbers: tuple[float, ...]) -> str:
    return ','.join(f'{number:g}' for number in numbers)
