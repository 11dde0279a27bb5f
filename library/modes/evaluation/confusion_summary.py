"""Show the confusion matrix of an evaluation in TensorBoard."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from library.hooks.predictions import PredictionsHook
from library.modes.evaluation.result import Predictions

TAG = 'confusion_matrix'
# Red, green, blue and opacity, as matplotlib draws.
CHANNELS = 4


class ConfusionSummaryHook(PredictionsHook):
    """Draw the confusion matrix after each evaluation while a run trains."""

    def __init__(self, class_names: Sequence[str], eval_dir: str):
        """Make the hook.

        Args:
          class_names: in the order of labels.
          eval_dir: folder of the evaluation's events.
        """
        super().__init__()
        self._class_names = tuple(class_names)
        self._eval_dir = eval_dir

    def begin(self) -> None:
        """Find the step too."""
        super().begin()
        self._step_tensor = tf.compat.v1.train.get_global_step()

    def end(self, session: Any) -> None:
        """Draw the matrix; an evaluation that is broken off does not come here."""
        # Late: it takes a second to import.
        from library.modes.evaluation.plots import draw_confusion

        predictions = Predictions(self._class_names, *self.take())
        step = int(session.run(self._step_tensor))
        summarize_confusion(draw_confusion(predictions), self._eval_dir, step)


def summarize_confusion(png: bytes, eval_dir: str, step: int) -> None:
    """Write the plot among the evaluation's events.

    Args:
      png: the plot.
      eval_dir: folder of the events.
      step: of the checkpoint that was evaluated.
    """
    # A PNG has its size there.
    width, height = struct.unpack('>II', png[16:24])
    image = tf.compat.v1.Summary.Image(
        height=height, width=width, colorspace=CHANNELS, encoded_image_string=png
    )
    value = tf.compat.v1.Summary.Value(tag=TAG, image=image)
    # The Estimator's own writer of this folder; outside of a graph there is none.
    with tf.Graph().as_default():
        writer = tf.compat.v1.summary.FileWriterCache.get(eval_dir)
        writer.add_summary(tf.compat.v1.Summary(value=[value]), step)
        writer.flush()
