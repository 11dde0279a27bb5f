"""Logits to predictions, loss and metrics, the same for every model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from library.errors import ConfigError
from library.models.class_weights import BALANCED, check_class_weights

# What every evaluation gives.
METRICS = ('average_loss', 'accuracy')


def predictions_of(logits: tf.Tensor, features: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
    """What the model says.

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


def training_losses(
    logits: tf.Tensor,
    labels: tf.Tensor,
    *,
    smoothing: float,
    weights: Sequence[float] | None,
    l2: float,
    kernels: Sequence[tf.Variable],
    other_losses: Sequence[tf.Tensor],
) -> dict[str, tf.Tensor]:
    """The parts of what is minimized: float32 scalars, whose sum is the training loss.

    Args:
      logits: float32 [batch, classes].
      labels: int64 [batch].
      smoothing: as for `cross_entropy`.
      weights: what an image of each class counts; None is 1. They are not divided by their sum in
        the batch: a batch of rare classes makes a larger step.
      l2: weight of half the squares of all kernels.
      kernels: the variables that this penalty is on.
      other_losses: scalars, such as a module's own regularization.

    Returns:
      'cross_entropy', the mean over the batch of weight * cross entropy, and where there are such
      'l2', half the squares of all kernels times `l2`, and 'module_regularization'.
    """
    each = cross_entropy(logits, labels, smoothing)
    if weights is not None:
        each *= tf.gather(tf.constant(weights, tf.float32), labels)
    losses = {'cross_entropy': tf.reduce_mean(each)}
    if l2 and kernels:
        losses['l2'] = l2 * tf.add_n([tf.nn.l2_loss(kernel) for kernel in kernels])
    if other_losses:
        losses['module_regularization'] = tf.add_n(list(other_losses))
    return losses


def class_weights(
    given: Sequence[str], examples_per_class: Sequence[int], class_names: Sequence[str]
) -> list[float] | None:
    """What an image of each class counts while training.

    Args:
      given: the option: nothing; 'balanced'; or a number for each class, in the order of labels.
      examples_per_class: training images of each class; () where nobody counted them.
      class_names: the classes, in the order of labels.

    Returns:
      A weight for each class, or None where all count the same. Balanced, a class has
      images / (classes * its images), so that each class as a whole counts the same, and the
      weights of all images sum to their number (scikit-learn's 'balanced', after King and Zeng
      2001, Political Analysis 9).

    Raises:
      ConfigError: these are no weights for these classes, or the images of some class cannot be
        weighted.
    """
    if not given:
        return None
    check_class_weights(given)
    if tuple(given) == (BALANCED,):
        return _balanced_weights(examples_per_class, class_names)
    weights = [float(text) for text in given]
    if len(weights) != len(class_names):
        raise ConfigError(
            f'--class_weights {",".join(given)}: {len(weights)} given, but there are '
            f'{len(class_names)} classes ({", ".join(class_names)})'
        )
    return weights


def _balanced_weights(examples_per_class: Sequence[int], class_names: Sequence[str]) -> list[float]:
    if not examples_per_class:
        raise ConfigError(
            f'--class_weights {BALANCED}: the images of this data set were not counted by class; '
            f'give a number for each class'
        )
    for name, count in zip(class_names, examples_per_class, strict=True):
        if count == 0:
            raise ConfigError(f'--class_weights {BALANCED}: there are no training images of {name}')
    share = sum(examples_per_class) / len(class_names)
    return [share / count for count in examples_per_class]


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
