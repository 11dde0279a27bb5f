"""Counts steps without asking for them, and asks for the true step where one is due."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class DueSteps:
    """Tells of each step that a number divides.

    Each fetch waits for the device, so steps are counted here. But a dynamic loss scale leaves out
    steps whose gradients are not finite, and the graph does not count them: where a step seems due,
    the graph is asked.
    """

    step: int

    def __init__(self, every: int):
        """Makes the counter; `every` steps from one that is due to the next."""
        self._every = every

    def begin(self) -> None:
        """Finds the step in the default graph."""
        self._tensor = tf.compat.v1.train.get_global_step()

    def start(self, session: Any) -> None:
        """Counts from the session's step on."""
        self.ask(session)
        self._last_due = self.step

    def ask(self, session: Any) -> None:
        """Makes `step` the true one."""
        self.step = int(session.run(self._tensor))

    def seems_next(self) -> bool:
        """Whether the step that begins now is due, if no step was left out."""
        return self._passes(self.step + 1)

    def reached(self, session: Any) -> bool:
        """Counts the step that ends now; True if it is due, and then `step` is the true one."""
        self.step += 1
        if not self._passes(self.step):
            return False
        self.ask(session)
        due = self._passes(self.step)
        if due:
            self._last_due = self.step
        return due

    def _passes(self, step: int) -> bool:
        return step // self._every > self._last_due // self._every
