"""Turn logits into predictions and metrics, the same for every model and every loss."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

# What every evaluation gives.
METRICS = ('average_loss', 'accuracy')


def predictions_of(logits: tf.Tensor, features: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
    """Turn logits into predictions.

    Args:
      logits: float32 [batch, classes].
      features: float32 [batch, depth], what the last layers saw, where the model tells.

    Returns:
      'logits' as given; 'probabilities' float32 [batch, classes], each row sums to 1; 'label'
      int64 [batch], the most probable class; 'features' as given.
    """
    predictions = {
        'logits': logits,
        'probabilities': tf.nn.softmax(logits),
        'label': tf.argmax(logits, axis=-1),
    }
    return predictions if features is None else predictions | {'features': features}


def example_losses(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Give the plain cross entropy of each example, by which all runs are compared.

    Args:
      logits: float32 [batch, classes].
      labels: int64 [batch].

    Returns:
      float32 [batch], in nats.
    """
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def evaluation_metrics(
    losses: tf.Tensor, labels: tf.Tensor, predictions: dict[str, tf.Tensor]
) -> dict[str, Any]:
    """Make the metrics of every evaluation, each weighted by example.

    TensorFlow's own `loss` of an evaluation is a mean of batch means, in which a short last batch
    counts too much; `average_loss` is the mean over examples.

    Args:
      losses: float32 [batch], as `example_losses` gives them.
      labels: int64 [batch].
      predictions: as `predictions_of` gives them.

    Returns:
      eval_metric_ops: 'average_loss', 'accuracy', and 'examples', the number that was seen.
    """
    examples = tf.keras.metrics.Sum(name='examples', dtype=tf.float64)
    # Where the batch size is known beforehand, the ones alone would be counted without a batch.
    with tf.control_dependencies([labels]):
        examples.update_state(tf.ones_like(labels))
    return {
        'average_loss': tf.compat.v1.metrics.mean(losses),
        'accuracy': tf.compat.v1.metrics.accuracy(labels, predictions['label']),
        'examples': examples,
    }
