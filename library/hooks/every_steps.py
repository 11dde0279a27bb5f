"""Define a hook that tells something after every so many steps."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import tensorflow as tf


class EveryStepsHook(tf.estimator.SessionRunHook, abc.ABC):
    """Tell something after every so many steps; a subclass says what, in `tell`.

    Each fetch waits for the device, so steps are counted here, and tensors are fetched only where a
    step seems due. But a dynamic loss scale leaves out steps whose gradients are not finite, and
    the graph does not count them: where a step seems due, the graph is asked.

    Attributes:
      step: the steps of the run that are done.
      tensors: what `tell` gets the values of, by name; a subclass finds them in `begin`.
    """

    step: int

    def __init__(self, every_steps: int, from_start: bool = False):
        """Make the hook.

        Args:
          every_steps: steps from one that is due to the next.
          from_start: the first step of each start is due; otherwise those that the number divides.
        """
        self._every = every_steps
        self._from_start = from_start
        self.tensors: Mapping[str, tf.Tensor] = {}

    @abc.abstractmethod
    def tell(self, values: Any) -> None:
        """Tell it; `step` is due, and `values` are those of `tensors`, if there are any."""

    def begin(self) -> None:
        """Find the step in the default graph."""
        self._step_tensor = tf.compat.v1.train.get_global_step()

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Count from the session's step on."""
        self.ask(session)
        self._last_due = self.step
        self._offset = self.step + 1 if self._from_start else 0

    def before_run(self, run_context: Any) -> Any:
        """Ask for the tensors if the step that begins seems due."""
        seems_due = self.tensors and self._passes(self.step + 1)
        return tf.estimator.SessionRunArgs(self.tensors) if seems_due else None

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Count the step, and call `tell` if it is due."""
        self.step += 1
        if self._passes(self.step):
            self.ask(run_context.session)
            if self._passes(self.step):
                self._last_due = self.step
                self.tell(run_values.results)

    def ask(self, session: Any) -> None:
        """Make `step` the true one."""
        self.step = int(session.run(self._step_tensor))

    def _passes(self, step: int) -> bool:
        before = (self._last_due - self._offset) // self._every
        return (step - self._offset) // self._every > before
