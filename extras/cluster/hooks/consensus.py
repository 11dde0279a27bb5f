"""Agree on what to do after a step, so that all tasks do it after the same step.

Tasks that sum up their gradients wait for each other in every step: if one of them stopped alone,
or saved what is summed up over all, the others would wait for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf


class ConsensusHook(tf.estimator.SessionRunHook):
    """Sums each task's wishes up within the step; must come before the hooks that ask.

    It adds one all-reduce of a few numbers to a step. All tasks must have the same wishes, as
    their graphs must be the same.
    """

    def __init__(self, wishes: Mapping[str, Callable[[], bool]]):
        """Make the hook.

        Args:
          wishes: by name, a function that returns before each step whether this task wants it.
        """
        self._wishes = dict(wishes)
        self._agreed: frozenset[str] = frozenset()

    def is_agreed(self, name: str) -> bool:
        """Return whether a task, this one or another, wanted this when the last step began."""
        return name in self._agreed

    def begin(self) -> None:
        """Add the sum to the graph; the Estimator calls it in the strategy's scope."""
        strategy = tf.distribute.get_strategy()
        self._own = tf.compat.v1.placeholder(tf.float32, [len(self._wishes)], 'wishes')
        # The same number for each device of this process: all that counts is whether it is 0.
        on_each = strategy.extended.call_for_each_replica(lambda: tf.identity(self._own))
        self._sum = strategy.reduce(tf.distribute.ReduceOp.SUM, on_each, axis=None)

    def before_run(self, run_context: Any) -> tf.estimator.SessionRunArgs:
        """Tell the others what this task wants."""
        own = np.array([wanted() for wanted in self._wishes.values()], np.float32)
        return tf.estimator.SessionRunArgs(self._sum, feed_dict={self._own: own})

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Note what any of them wanted."""
        wanted = zip(self._wishes, run_values.results, strict=True)
        self._agreed = frozenset(name for name, tasks in wanted if tasks > 0)
