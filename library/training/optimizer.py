"""Define what an optimizer of project/optimizers.py is: its own options, and how it is made."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

from library.config.fields import HYPERPARAMETERS, Options

if TYPE_CHECKING:
    import tensorflow as tf


class Optimizer(Options, abc.ABC, group='training', home=HYPERPARAMETERS):
    """How weights follow gradients; a subclass is a frozen dataclass whose fields are its options.

    Options must be known before TensorFlow is imported. So a class that derives from one of
    TensorFlow's own stands in a file that `make` imports, or within `make`.
    """

    @abc.abstractmethod
    def make(self, learning_rate: float | tf.Tensor) -> tf.compat.v1.train.Optimizer:
        """Make the optimizer with these options.

        Args:
          learning_rate: a number or a scalar of the graph. It must not become a variable: a
            checkpoint would bring back the old rate when a run goes on with a new one.
        """
