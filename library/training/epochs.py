"""Convert epochs to steps and back, in whole numbers."""

from __future__ import annotations

from dataclasses import dataclass

from library.training.options import LengthOptions


@dataclass(frozen=True)
class Epochs:
    """How long an epoch is.

    Attributes:
      examples: images in the training split.
      batch_size: images in a step, over all devices.
    """

    examples: int
    batch_size: int

    def steps(self, epochs: int) -> int:
        """Return the steps after which every example was seen `epochs` times: rounded up."""
        return -(-epochs * self.examples // self.batch_size)

    @property
    def steps_per_epoch(self) -> float:
        """Return the steps of one epoch, of which the last may reach into the next epoch."""
        return self.examples / self.batch_size

    def total_steps(self, length: LengthOptions) -> int:
        """Return the last step: of train_steps, else train_epochs, at most max_train_steps."""
        total = length.train_steps or self.steps(length.train_epochs)
        return min(total, length.max_train_steps or total)

    def ends_at(self, step: int, every: int) -> bool:
        """Return whether `step`, and not the one before, completes a multiple of `every` epochs.

        Counted from step 0, so that a resumed run evaluates at the same steps.
        """
        span = every * self.examples
        return step * self.batch_size // span > (step - 1) * self.batch_size // span
