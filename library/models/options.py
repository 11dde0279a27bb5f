"""The options of the loss."""

from __future__ import annotations

from dataclasses import dataclass

from library.config.fields import HYPERPARAMETERS, Options, option


@dataclass(frozen=True)
class LossOptions(Options, group='training', home=HYPERPARAMETERS):
    """What is minimized."""

    xentropy_label_smoothing: float = option(
        0.0, 'Share of each label that is spread over all classes.', low=0, below=1
    )
    l2_regularization: float = option(
        1e-8, "Weight of the L2 penalty on the model's own kernels.", low=0
    )
