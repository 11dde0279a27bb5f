"""Check the loss scale, which is a number or a word; free of TensorFlow."""

from __future__ import annotations

import math

from library.errors import ConfigError


def check_loss_scale(loss_scale: str, place: str = '--loss_scale') -> None:
    """Raise ConfigError unless the text is 'dynamic' or a finite number of at least 1."""
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
