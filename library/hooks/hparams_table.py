"""Show a run as a row of TensorBoard's HParams table, to compare it with others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorboard.plugins.hparams import api_pb2, summary


class HParamsTableHook(tf.estimator.SessionRunHook):
    """Write the values that a run starts with, and that it has come to its end.

    The table finds the metrics by itself: all scalars of the run's folder and of eval/ below it.
    It takes the values of a run's first start; TensorBoard ignores later ones.
    """

    def __init__(self, model_dir: str, values: Mapping[str, Any], total_steps: int):
        """Make the hook.

        Args:
          model_dir: the run's folder, whose events get the entries.
          values: hyper-parameters by name; what is None or empty leaves its cell empty.
          total_steps: the run is done at this step.
        """
        self._model_dir = model_dir
        self._values = {name: value for name, value in values.items() if value not in (None, ())}
        self._total_steps = total_steps

    def begin(self) -> None:
        """Write the values; here, because the writer only works inside a graph."""
        self._step_tensor = tf.compat.v1.train.get_global_step()
        shown = {name: _shown(value) for name, value in self._values.items()}
        self._write(summary.session_start_pb(shown))

    def end(self, session: Any) -> None:
        """Tell that the run is done; one that a signal stopped is not."""
        if session.run(self._step_tensor) >= self._total_steps:
            self._write(summary.session_end_pb(api_pb2.STATUS_SUCCESS))

    def _write(self, entry: tf.compat.v1.Summary) -> None:
        tf.compat.v1.summary.FileWriterCache.get(self._model_dir).add_summary(entry)


def _shown(value: Any) -> Any:
    if isinstance(value, tuple):
        value = ', '.join(map(str, value))
    # A path may hold bytes that no text does.
    return value.encode('utf-8', 'backslashreplace').decode() if isinstance(value, str) else value
