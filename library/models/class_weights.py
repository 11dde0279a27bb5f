"""Turn the option class_weights into a weight for each class; free of TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Sequence

from library.errors import ConfigError

# The value of --class_weights that lets rare classes count more.
BALANCED = 'balanced'


def check_class_weights(given: Sequence[str], place: str = '--class_weights') -> None:
    """Check what can be known before the classes are.

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


def class_weights(
    given: Sequence[str], examples_per_class: Sequence[int], class_names: Sequence[str]
) -> list[float] | None:
    """Return what an image of each class counts while training.

    Args:
      given: the option: nothing; 'balanced'; or a number for each class, in the order of labels.
      examples_per_class: training images of each class; () where nobody counted them.
      class_names: the classes, in the order of labels.

    Returns:
      A weight for each class, or None where all count the same. Balanced, a class has
      images / (classes * its images), so that each class as a whole counts the same, and the
      weights of all images sum to their number (scikit-learn's 'balanced', after King and Zeng
      2001, Political Analysis 9).

    Raises:
      ConfigError: these are no weights for these classes, or the images of some class cannot be
        weighted.
    """
    if not given:
        return None
    check_class_weights(given)
    if tuple(given) == (BALANCED,):
        return _balanced_weights(examples_per_class, class_names)
    weights = [float(text) for text in given]
    if len(weights) != len(class_names):
        raise ConfigError(
            f'--class_weights {",".join(given)}: {len(weights)} given, but there are '
            f'{len(class_names)} classes ({", ".join(class_names)})'
        )
    return weights


def _balanced_weights(examples_per_class: Sequence[int], class_names: Sequence[str]) -> list[float]:
    if not examples_per_class:
        raise ConfigError(
            f'--class_weights {BALANCED}: the images of this data set were not counted by class; '
            f'give a number for each class'
        )
    for name, count in zip(class_names, examples_per_class, strict=True):
        if count == 0:
            raise ConfigError(f'--class_weights {BALANCED}: there are no training images of {name}')
    share = sum(examples_per_class) / len(class_names)
    return [share / count for count in examples_per_class]
