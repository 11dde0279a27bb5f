"""Predict encoded images: a graph whose variables have their values."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Self

import numpy as np
import tensorflow as tf


class Predictor(abc.ABC):
    """A graph and its session; use it in a with statement.

    Attributes:
      graph: a tf.Graph.
      session: in which every variable has its value.
      image_bytes: string [batch], encoded images.
      classes: string [batch, classes], the names, the most probable first.
      probabilities: float32 [batch, classes], in the order of `classes`.
    """

    def __init__(self, config: tf.compat.v1.ConfigProto | None):
        """Fill the graph.

        Args:
          config: of the session.
        """
        self.graph = tf.Graph()
        self.session = tf.compat.v1.Session(graph=self.graph, config=config)
        try:
            with self.graph.as_default():
                self.image_bytes, self.classes, self.probabilities = self._fill()
        except BaseException:
            self.session.close()
            raise

    @abc.abstractmethod
    def _fill(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Add the model to the default graph, and give every variable its value.

        Returns:
          `image_bytes`, `classes` and `probabilities`.
        """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.session.close()

    def predict(self, encoded: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """Predict names of classes and their probabilities, the most probable first.

        Args:
          encoded: JPEGs or PNGs, at least one.

        Returns:
          bytes [batch, classes]; float32 [batch, classes].
        """
        wanted = [self.classes, self.probabilities]
        classes, probabilities = self.session.run(wanted, {self.image_bytes: list(encoded)})
        return classes, probabilities
