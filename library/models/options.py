"""The options that models share, and those of the loss."""

from __future__ import annotations

from dataclasses import dataclass

from library.config.fields import HYPERPARAMETERS, Options, option


@dataclass(frozen=True)
class ModelOptions(Options, group='model', home=HYPERPARAMETERS):
    """What every model has; a model's own options derive from this class."""

    image_size: int | None = option(
        None,
        "Edge of the model's square input; none: what its module takes, else 224.",
        unit='pixels',
        low=8,
        high=4096,
        kept_with_run=True,
    )
    dropout_rate: float = option(
        0.5, 'Share of features that are dropped while training.', low=0, below=1
    )


@dataclass(frozen=True)
class LossOptions(Options, group='training', home=HYPERPARAMETERS):
    """What is minimized."""

    xentropy_label_smoothing: float = option(
        0.0, 'Share of each label that is spread over all classes.', low=0, below=1
    )
    l2_regularization: float = option(
        1e-8, "Weight of the L2 penalty on the model's own kernels.", low=0
    )
    class_weights: tuple[str, ...] = option(
        (),
        'What an image of each class counts while training: balanced (rare classes count more), or '
        'a number for each class in the order of labels; none: 1.',
    )
