"""The options of optimizers, and which optimizers there are."""

from __future__ import annotations

from dataclasses import dataclass

from library.config.fields import HYPERPARAMETERS, Options, option


@dataclass(frozen=True)
class OptimizerOptions(Options, group='training', home=HYPERPARAMETERS):
    """What every optimizer has."""

    optimizer: str = option('adam', 'How weights follow gradients.', choices=('adam',))
    learning_rate: float = option(1e-4, 'Size of a step.', above=0)


@dataclass(frozen=True)
class AdamOptions(Options, group='training', home=HYPERPARAMETERS):
    """Adam's own parameters (Kingma and Ba 2014, arXiv:1412.6980)."""

    adam_beta1: float = option(0.9, 'Decay of the mean of gradients.', low=0, below=1)
    adam_beta2: float = option(0.999, 'Decay of the mean of their squares.', low=0, below=1)
    adam_epsilon: float = option(1e-8, 'Keeps the division finite.', above=0)


OPTIMIZERS = {'adam': AdamOptions}
