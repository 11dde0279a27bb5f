"""The options of the model `simple`."""

from __future__ import annotations

from dataclasses import dataclass

from library.config.fields import HYPERPARAMETERS, Options, option


@dataclass(frozen=True)
class SimpleOptions(Options, group='model', home=HYPERPARAMETERS):
    """Size and dropout."""

    image_size: int | None = option(
        None,
        "Edge of the model's input; none: the module's own, else 224.",
        unit='pixels',
        low=8,
        high=4096,
        kept_with_run=True,
    )
    dropout_rate: float = option(
        0.5, 'Share of features that are dropped while training.', low=0, below=1
    )
