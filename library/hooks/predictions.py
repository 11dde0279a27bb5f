"""Keep what a model predicts in an evaluation, image by image."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from library.errors import ConfigError

# Collections of an EVAL graph.
LABELS = 'predictions/labels'
PROBABILITIES = 'predictions/probabilities'


def record_predictions(labels: tf.Tensor, probabilities: tf.Tensor) -> None:
    """Mark, in an EVAL graph, what `PredictionsHook` keeps.

    Args:
      labels: int64 [batch], the true ones.
      probabilities: float32 [batch, classes].
    """
    tf.compat.v1.add_to_collection(LABELS, labels)
    tf.compat.v1.add_to_collection(PROBABILITIES, probabilities)


class PredictionsHook(tf.estimator.SessionRunHook):
    """Keep the predictions of the evaluation that it watched last, in the order of its images."""

    def __init__(self) -> None:
        self._labels: list[np.ndarray] = []
        self._probabilities: list[np.ndarray] = []

    def begin(self) -> None:
        """Find the tensors, and forget an evaluation before this one.

        Raises:
          ConfigError: the graph's model_fn does not mark them.
        """
        found = [tf.compat.v1.get_collection(key) for key in (LABELS, PROBABILITIES)]
        if not all(found):
            raise ConfigError(
                'model_fn has to call record_predictions(labels, probabilities) for an evaluation'
            )
        self._fetched = tuple(tensors[0] for tensors in found)
        self.take()

    def before_run(self, run_context: Any) -> tf.estimator.SessionRunArgs:
        """Ask for the predictions of the batch that the step evaluates."""
        return tf.estimator.SessionRunArgs(self._fetched)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Keep them."""
        labels, probabilities = run_values.results
        self._labels.append(labels)
        self._probabilities.append(probabilities)

    def take(self) -> tuple[np.ndarray, np.ndarray]:
        """Hand the predictions over, and keep them no longer.

        Returns:
          labels: int64 [examples].
          probabilities: float32 [examples, classes].
        """
        batches = self._probabilities
        classes = batches[0].shape[1] if batches else 0
        labels = np.concatenate([np.empty([0], np.int64), *self._labels])
        probabilities = np.empty([len(labels), classes], np.float32)
        # Batch by batch, each let go at once: many images of many classes fill the memory.
        batches.reverse()
        first = 0
        while batches:
            rows = batches.pop()
            probabilities[first : first + len(rows)] = rows
            first += len(rows)
        self._labels = []
        return labels, probabilities
