"""Hold what a model said of each image of an evaluation, and what follows from that alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Predictions:
    """The predictions of one evaluation, in the stored order of its images.

    Attributes:
      class_names: in the order of labels.
      labels: int64 [examples], the true ones.
      probabilities: float32 [examples, classes].
    """

    class_names: tuple[str, ...]
    labels: np.ndarray
    probabilities: np.ndarray

    @cached_property
    def predicted(self) -> np.ndarray:
        """Return the most probable class, of equals the first: int64 [examples]."""
        return self.probabilities.argmax(axis=1)

    @cached_property
    def confidence(self) -> np.ndarray:
        """Return the probability of the most probable class: float32 [examples]."""
        return self.probabilities.max(axis=1)

    @cached_property
    def confusion(self) -> np.ndarray:
        """Count images of the row's class taken for the column's: int64 [classes, classes]."""
        count = len(self.class_names)
        pairs = self.labels * count + self.predicted
        return np.bincount(pairs, minlength=count * count).reshape(count, count)

    @cached_property
    def mistakes(self) -> np.ndarray:
        """Number the misclassified images, the most confident mistake first: int64 [mistakes]."""
        wrong = np.flatnonzero(self.predicted != self.labels)
        return wrong[np.argsort(-self.confidence[wrong], kind='stable')]


@dataclass(frozen=True)
class Mistake:
    """One misclassified image.

    Attributes:
      number: its place in the stored order.
      file: its name in the data set; '' where it has none.
      true, predicted: names of classes.
      probability: of the predicted class.
      true_probability: of the true class.
      jpeg: the image as it is stored; None where nobody asked for it.
    """

    number: int
    file: str
    true: str
    predicted: str
    probability: float
    true_probability: float
    jpeg: bytes | None = None


@dataclass(frozen=True)
class ClassScores:
    """How well one class is told from the others; each is in [0, 1], or None where undefined.

    Attributes:
      name: of the class.
      support: its images.
      precision, recall, f1: of the predictions; precision is None where no image was taken for it.
      auc: area under the ROC curve of its probability, against all other classes.
    """

    name: str
    support: int
    precision: float | None
    recall: float | None
    f1: float | None
    auc: float | None


@dataclass(frozen=True)
class CalibrationBin:
    """The images whose confidence lies in [low, high); the last bin holds 1.0 too."""

    low: float
    high: float
    images: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Evaluation:
    """All that one evaluation found out; tables, plots and the report are made of it.

    Attributes:
      metrics: what metrics.json holds, in its order.
      predictions: of each image.
      classes: scores, in the order of labels.
      calibration: bins from 0 to 1.
      mistakes: the most confident first; the first ones have their image.
      folder: where the evaluation's files lie.
    """

    metrics: dict[str, object]
    predictions: Predictions
    classes: tuple[ClassScores, ...]
    calibration: tuple[CalibrationBin, ...]
    mistakes: tuple[Mistake, ...]
    folder: str
