"""The option class_weights: what it may be, before the classes are known; free of TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Sequence

from library.errors import ConfigError

# The value of --class_weights that lets rare classes count more.
BALANCED = 'balanced'


def check_class_weights(given: Sequence[str], place: str = '--class_weights') -> None:
    """Checks what can be known before the classes are.

    Args:
      given: the option: nothing; 'balanced'; or numbers.
      place: where the option was set, for the message.

    Raises:
      ConfigError: something else, or a number that is negative or not finite.
    """
    if tuple(given) == (BALANCED,):
        return
    for text in given:
        try:
            weight = float(text)
        except ValueError:
            raise ConfigError(
                f'{place}: {text!r} is not {BALANCED} alone, nor a number for each class'
            ) from None
        if not 0 <= weight < math.inf:
            raise ConfigError(f'{place}: {text} is not a finite number of at least 0')
