"""What TensorBoard shows of a training run."""

from __future__ import annotations

import tensorflow as tf

IMAGES_SHOWN = 8


def summarize_training(
    images: tf.Tensor, labels: tf.Tensor, predictions: dict[str, tf.Tensor], learning_rate: float
) -> None:
    """Adds scalars and some input images to the graph's summaries.

    Args:
      images: uint8 [batch, height, width, 3], as the model gets them.
      labels: int64 [batch].
      predictions: as `predictions_of` gives them.
      learning_rate: of this step.
    """
    hits = tf.cast(tf.equal(labels, predictions['label']), tf.float32)
    tf.compat.v1.summary.scalar('accuracy', tf.reduce_mean(hits))
    tf.compat.v1.summary.scalar('learning_rate', learning_rate)
    tf.compat.v1.summary.image('images', images, max_outputs=IMAGES_SHOWN)
