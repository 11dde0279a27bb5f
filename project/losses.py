"""Compute the training loss: a sum of named parts, each with its own curve in TensorBoard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from etils import epy

from library.config.fields import HYPERPARAMETERS, Options, option

with epy.lazy_imports():
    import tensorflow as tf


@dataclass(frozen=True)
class LossOptions(Options, group='training', home=HYPERPARAMETERS):
    """What is minimized."""

    xentropy_label_smoothing: float = option(
        0.0, 'Fraction of each label that is spread over all classes.', low=0, below=1
    )
    l2_regularization: float = option(
        1e-8, "Weight of the L2 penalty on the model's own kernels.", low=0
    )
    class_weights: tuple[str, ...] = option(
        (),
        'Weight of the images of each class while training: balanced (rare classes count more), '
        'or a number for each class in the order of labels; none: 1.',
    )


def training_losses(
    logits: tf.Tensor,
    labels: tf.Tensor,
    options: LossOptions,
    *,
    weights: Sequence[float] | None,
    kernels: Sequence[tf.Variable],
    other_losses: Sequence[tf.Tensor],
) -> dict[str, tf.Tensor]:
    """Return the parts of what is minimized: float32 scalars, whose sum is the training loss.

    Evaluations report the plain cross entropy as average_loss, whatever is minimized here.

    Args:
      logits: float32 [batch, classes].
      labels: int64 [batch].
      options: how strong the parts are.
      weights: what an image of each class counts, from `class_weights`; None is 1. They are not
        divided by their sum in the batch: a batch of rare classes makes a larger step.
      kernels: the variables that the L2 penalty is on.
      other_losses: scalars, such as a module's own regularization.

    Returns:
      'cross_entropy', the mean over the batch of weight * cross entropy, and where there are such
      'l2', half the squares of all kernels times l2_regularization, and 'module_regularization'.
    """
    each = cross_entropy(logits, labels, options.xentropy_label_smoothing)
    if weights is not None:
        each *= tf.gather(tf.constant(weights, tf.float32), labels)
    losses = {'cross_entropy': tf.reduce_mean(each)}
    if options.l2_regularization and kernels:
        squares = tf.add_n([tf.nn.l2_loss(kernel) for kernel in kernels])
        losses['l2'] = options.l2_regularization * squares
    if other_losses:
        losses['module_regularization'] = tf.add_n(list(other_losses))
    return losses


def cross_entropy(logits: tf.Tensor, labels: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
    """Return the softmax cross entropy of each example.

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
