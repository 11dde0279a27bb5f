"""Declare the options that models share."""

from __future__ import annotations

from dataclasses import dataclass

from library.config.fields import HYPERPARAMETERS, Options, option


@dataclass(frozen=True)
class ModelOptions(Options, group='model', home=HYPERPARAMETERS):
    """What every model has; a model's own options derive from this class."""

    image_size: int | None = option(
        None,
        "Edge of the model's square input; none: what its module takes, otherwise 224.",
        unit='pixels',
        low=8,
        high=4096,
        kept_with_run=True,
    )
    dropout_rate: float = option(
        0.5, 'Fraction of features that are dropped while training.', low=0, below=1
    )
