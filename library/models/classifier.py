"""Logits to predictions, loss and metrics, the same for every model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

# What every evaluation gives.
METRICS = ('average_loss', 'accuracy')


def predictions_of(logits: tf.Tensor) -> dict[str, tf.Tensor]:
    """What the model says.

    Args:
      logits: float32 [batch, classes].

    Returns:
      'logits' as given; 'probabilities' float32 [batch, classes], each row sums to 1; 'label'
      int64 [batch], the most probable class.
    """
    return {
        'logits': logits,
        'probabilities': tf.nn.softmax(logits),
        'label': tf.argmax(logits, axis=-1),
    }


def cross_entropy(logits: tf.Tensor, labels: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
    """Softmax cross entropy of each example.

    Args:
      logits: float32 [batch, classes].
      labels: int64 [batch].
      smoothing: [0, 1), the share of a label that is spread evenly over all classes (Szegedy et
        al. 2016, arXiv:1512.00567, section 7).

    Returns:
      float32 [batch], in nats.
    """
    if not smoothing:
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    classes = logits.shape[-1]
    targets = tf.one_hot(labels, classes) * (1.0 - smoothing) + smoothing / classes
    return tf.nn.softmax_cross_entropy_with_logits(labels=targets, logits=logits)


def training_loss(
    logits: tf.Tensor,
    labels: tf.Tensor,
    *,
    smoothing: float,
    l2: float,
    kernels: Sequence[tf.Variable],
    other_losses: Sequence[tf.Tensor],
) -> tf.Tensor:
    """Mean smoothed cross entropy + l2 * half the squared kernels + the model's own losses.

    Returns:
      float32 scalar.
    """
    loss = tf.reduce_mean(cross_entropy(logits, labels, smoothing))
    if l2 and kernels:
        loss += l2 * tf.add_n([tf.nn.l2_loss(kernel) for kernel in kernels])
    return tf.add_n([loss, *other_losses]) if other_losses else loss


def evaluation_metrics(
    losses: tf.Tensor, labels: tf.Tensor, predictions: dict[str, tf.Tensor]
) -> dict[str, Any]:
    """The metrics of every evaluation, each weighted by example.

    TensorFlow's own `loss` of an evaluation is a mean of batch means, in which a short last batch
    counts too much; `average_loss` is the mean over examples.

    Args:
      losses: float32 [batch], unsmoothed cross entropy.
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
