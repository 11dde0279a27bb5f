"""Draw a bar of how many images are evaluated, where somebody looks at a terminal."""

from __future__ import annotations

import sys
from typing import Any, TextIO

import tensorflow as tf
import tqdm


class EvaluationBarHook(tf.estimator.SessionRunHook):
    """Count the images of one evaluation; it fetches nothing."""

    def __init__(self, images: int, batch_size: int, stream: TextIO | None = None):
        """Make the hook.

        Args:
          images: of the split.
          batch_size: images in a batch; the last one may be smaller.
          stream: where the bar is drawn, if it is a terminal; None is stderr.
        """
        self._images = images
        self._batch_size = batch_size
        self._stream = stream or sys.stderr

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Draw the empty bar."""
        # disable=None: no bar where nobody looks (a log file).
        self._bar = tqdm.tqdm(
            total=self._images,
            unit='image',
            desc='evaluating',
            file=self._stream,
            leave=False,
            disable=None,
        )

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Count a batch."""
        self._bar.update(min(self._batch_size, self._images - self._bar.n))

    def end(self, session: Any) -> None:
        """Take the bar away: the metrics follow."""
        self._bar.close()
