"""Print tensors by name, as a line on the screen every so many steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from library.console import log
from library.hooks.every_steps import EveryStepsHook
from library.hooks.watched import find_tensor


class NamedTensorsHook(EveryStepsHook):
    """Print tensors, which it finds by what `watch` called them.

    tf.estimator.LoggingTensorHook writes to TensorFlow's log, which is silent unless a run is
    verbose, and counts the steps that a dynamic loss scale leaves out.
    """

    def __init__(self, names: Sequence[str], every_steps: int):
        """Make the hook.

        Args:
          names: what is watched, or tensors of the graph.
          every_steps: steps from one line to the next; the first step has one too.
        """
        super().__init__(every_steps, from_start=True)
        self._names = names

    def begin(self) -> None:
        """Find the tensors; raises ConfigError where there is no such one."""
        super().begin()
        self.tensors = {name: find_tensor(name, 'log_tensors') for name in self._names}

    def tell(self, values: Any) -> None:
        """Print the line."""
        shown = [f'{name} {_shown(values[name])}' for name in self._names]
        log(f'step {self.step}: {"  ".join(shown)}')


def _shown(value: Any) -> str:
    if np.ndim(value) == 0 and np.issubdtype(np.asarray(value).dtype, np.number):
        return f'{value:.4g}'
    return np.array2string(np.asarray(value), precision=4, threshold=20).replace('\n', '')
