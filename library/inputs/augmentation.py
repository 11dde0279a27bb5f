"""Define what an augmentation of project/augmentation.py is."""

from __future__ import annotations

import abc

from etils import epy

from library.config.fields import HYPERPARAMETERS, Options, options_of

with epy.lazy_imports():
    import tensorflow as tf


class Augmentation(Options, abc.ABC, group='augmentation', home=HYPERPARAMETERS):
    """One random change of training images; a subclass is a frozen dataclass of its options.

    Attributes:
      draws: how many random numbers it takes. It takes them whether it is on or not, so that no
        switch changes what another augmentation does.
    """

    draws = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        for each in options_of(type(self)):
            if not each.changes_images:
                # Features that were computed from other images would be taken for those of these.
                raise TypeError(f'option {each.name!r} must be declared with changes_images=True')

    @property
    def is_on(self) -> bool:
        """Return True if its options ask for any change: one of them is true, or not 0."""
        return any(getattr(self, each.name) for each in options_of(type(self)))

    @abc.abstractmethod
    def change(self, image: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Change one image.

        Args:
          image: float32 [height, width, 3] of 0 to 255, RGB, its size known when the graph is
            built.
          draws: float32 [self.draws], uniform in [0, 1): the same draws make the same change.

        Returns:
          Like `image`, or the same rounded to uint8; values must stay in the range.
        """
