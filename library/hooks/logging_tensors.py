"""Tensors by name, as a line on the screen every so many steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from library.console import log
from library.hooks.watched import find_tensor


class NamedTensorsHook(tf.estimator.LoggingTensorHook):
    """A LoggingTensorHook that finds its tensors by what `watch` called them, and says them.

    Its base writes to TensorFlow's log, which is silent unless a run is verbose.
    """

    _should_trigger: bool  # of the base

    def __init__(self, names: Sequence[str], every_steps: int):
        """Makes the hook.

        Args:
          names: what is watched, or tensors of the graph.
          every_steps: steps from one line to the next; the first step has one too.
        """
        super().__init__({}, every_n_iter=every_steps)
        self._names = names
        self._first_step = 0

    def begin(self) -> None:
        """Finds the tensors; raises ConfigError where there is no such one."""
        self._tensors = {name: find_tensor(name, 'log_tensors') for name in self._names}
        self._step_tensor = tf.compat.v1.train.get_global_step()
        super().begin()

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Notes where the count of steps starts."""
        self._first_step = int(session.run(self._step_tensor)) - self._iter_count

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Says the line if it is due.

        A step that a dynamic loss scale leaves out is no step of the graph: where a line seems
        due, the graph is asked for its count.
        """
        if self._should_trigger:
            counted = int(run_context.session.run(self._step_tensor)) - self._first_step
            self._iter_count = counted - 1  # the base counts after it has told
            self._should_trigger = counted > 0 and self._timer.should_trigger_for_step(counted - 1)
        super().after_run(run_context, run_values)

    def _log_tensors(self, tensor_values: Mapping[str, Any]) -> None:
        self._timer.update_last_triggered_step(self._iter_count)
        shown = [f'{name} {_shown(tensor_values[name])}' for name in self._names]
        log(f'step {self._first_step + self._iter_count + 1}: {"  ".join(shown)}')


def _shown(value: Any) -> str:
    if np.ndim(value) == 0 and np.issubdtype(np.asarray(value).dtype, np.number):
        return f'{value:.4g}'
    return np.array2string(np.asarray(value), precision=4, threshold=20).replace('\n', '')
