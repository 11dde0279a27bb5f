"""Define what an augmentation of project/augmentation.py is, and apply a list of them in turn."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Sequence

from etils import epy

from library.config.fields import HYPERPARAMETERS, Options, options_of
from library.inputs.decoding import to_bytes

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
    @abc.abstractmethod
    def is_on(self) -> bool:
        """True if its options ask for any change."""

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


def count_draws(kinds: Iterable[type[Augmentation]]) -> int:
    """Count the random numbers that one image takes."""
    return sum(kind.draws for kind in kinds)


def apply_in_turn(
    augmentations: Sequence[Augmentation], image: tf.Tensor, draws: tf.Tensor
) -> tf.Tensor:
    """Change an image by each augmentation that is on, in their order.

    Args:
      augmentations: with their options.
      image: as for `Augmentation.change`.
      draws: float32, one after the other what each augmentation takes.

    Returns:
      uint8 [height, width, 3].
    """
    first = 0
    for each in augmentations:
        if each.is_on:
            image = each.change(tf.cast(image, tf.float32), draws[first : first + each.draws])
        first += each.draws
    return image if image.dtype == tf.uint8 else to_bytes(image)
