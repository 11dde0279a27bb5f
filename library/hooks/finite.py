"""End a run whose numbers are no longer finite, before it can save them."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from library.errors import NumericalError

ADVICE = 'the last checkpoint is good; a smaller --learning_rate may help'


class FiniteLossHook(tf.estimator.SessionRunHook):
    """Watch the loss of every step, the last one included; inf counts like NaN.

    Must stand before the saver in the list of hooks. Costs nothing: the Estimator's own
    NanTensorHook, which comes after the saver and lets inf pass, fetches the loss too.
    """

    def begin(self) -> None:
        """Find the training loss, which the Estimator adds as the last of its collection."""
        self._loss = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.LOSSES)[-1]
        self._step = tf.compat.v1.train.get_global_step()

    def before_run(self, run_context: Any) -> Any:
        """Ask for the loss."""
        return tf.estimator.SessionRunArgs(self._loss)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Raise NumericalError unless the loss is finite."""
        if not math.isfinite(run_values.results):
            step = run_context.session.run(self._step)
            raise NumericalError(f'step {step}: the loss is {run_values.results}; {ADVICE}')


class FiniteVariablesListener(tf.estimator.CheckpointSaverListener):
    """Look at the variables before each save: a step can spoil them and still have a good loss."""

    def begin(self) -> None:
        """Add the check to the graph."""
        checks = [
            tf.reduce_all(tf.math.is_finite(variable))
            for variable in tf.compat.v1.global_variables()
            if variable.dtype.is_floating
        ]
        self._all_finite = tf.reduce_all(tf.stack(checks)) if checks else tf.constant(True)

    def before_save(self, session: Any, global_step_value: int) -> None:
        """Raise NumericalError instead of letting the saver write what is not finite."""
        if not session.run(self._all_finite):
            raise NumericalError(
                f'step {global_step_value}: a variable is not finite any more; {ADVICE}'
            )
