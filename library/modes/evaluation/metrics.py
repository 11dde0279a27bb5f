"""Compute metrics of predictions: of all images, of each class, and how far to trust them."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from library.modes.evaluation.result import CalibrationBin, ClassScores, Predictions

# As in Guo et al. 2017 (arXiv:1706.04599), section 2.
BINS = 15
# Of a large evaluation so many images are looked at in one go, to spare memory.
ROWS = 4096


def added_metrics(
    predictions: Predictions,
    scores: tuple[ClassScores, ...],
    bins: tuple[CalibrationBin, ...],
    top_k: int,
) -> dict[str, float | None]:
    """Compute the metrics that need all predictions together; None is what is not defined.

    Means over classes are over those that have images. Such a class has a precision of 0 there if
    no image was taken for it: a model must not gain by never giving a prediction.

    Args:
      predictions: of each image.
      scores: of each class.
      bins: of `calibration`.
      top_k: how many of the most probable classes count as predictions.

    Returns:
      'top_K_accuracy' where there are more than `top_k` classes (it would be 1 otherwise), 'auc',
      'macro_precision', 'macro_recall', 'macro_f1', 'calibration_error'.
    """
    present = [each for each in scores if each.support]
    metrics: dict[str, float | None] = {}
    if top_k < len(predictions.class_names):
        metrics[f'top_{top_k}_accuracy'] = top_k_accuracy(predictions, top_k)
    areas = [each.auc for each in scores if each.auc is not None]
    metrics['auc'] = float(np.mean(areas)) if areas else None
    for name in ('precision', 'recall', 'f1'):
        values = [getattr(each, name) or 0.0 for each in present]
        metrics[f'macro_{name}'] = float(np.mean(values)) if values else None
    metrics['calibration_error'] = calibration_error(predictions, bins)
    return metrics


def class_scores(predictions: Predictions) -> tuple[ClassScores, ...]:
    """Score how well each class is told from the others, in the order of labels."""
    precision, recall, f1, support = precision_recall_fscore_support(
        predictions.labels,
        predictions.predicted,
        labels=np.arange(len(predictions.class_names)),
        zero_division=np.nan,
    )
    # Without images, or never given as a prediction, a class has a part of the two.
    f1 = np.where(np.isnan(precision) & np.isnan(recall), np.nan, np.nan_to_num(f1))
    columns = (precision, recall, f1, areas_under_curves(predictions))
    return tuple(
        ClassScores(name, int(images), *map(_defined, numbers))
        for name, images, *numbers in zip(predictions.class_names, support, *columns, strict=True)
    )


def top_k_accuracy(predictions: Predictions, k: int) -> float:
    """Compute the share of images whose true class is among the `k` most probable.

    Of classes that are equally probable the first counts as the more probable one.
    """
    hits = 0
    for first in range(0, len(predictions.labels), ROWS):
        labels = predictions.labels[first : first + ROWS, None]
        rows = predictions.probabilities[first : first + ROWS]
        own = np.take_along_axis(rows, labels, axis=1)
        before = np.arange(rows.shape[1]) < labels
        better = ((rows > own) | ((rows == own) & before)).sum(axis=1)
        hits += int(((better < k) & np.isfinite(own[:, 0])).sum())
    return hits / len(predictions.labels)


def areas_under_curves(predictions: Predictions) -> np.ndarray:
    """Compute the area under each class's ROC curve, against all other classes together.

    It is the chance that an image of the class has a larger probability of it than another image
    has, equals counted half: the Mann-Whitney statistic (Hanley and McNeil 1982, Radiology 143).
    scikit-learn draws the curve first, which takes 25 times as long.

    Returns:
      float64 [classes] in [0, 1]; NaN for a class of no images or of all, and for all classes where
      a probability is not finite.
    """
    count = len(predictions.class_names)
    areas = np.full(count, np.nan)
    if not np.isfinite(predictions.confidence).all():
        return areas
    for label in range(count):
        column = predictions.probabilities[:, label]
        own = column[predictions.labels == label]
        others = len(column) - len(own)
        if not len(own) or not others:
            continue
        column = np.sort(column)
        # Those below, and half of the equals: of all images, so of the class's own too.
        below = column.searchsorted(own, 'left') + column.searchsorted(own, 'right')
        areas[label] = (below.sum() - len(own) ** 2) / 2 / (len(own) * others)
    return areas


def calibration(predictions: Predictions) -> tuple[CalibrationBin, ...]:
    """Sort the images by their confidence, where it is finite, into bins of equal width."""
    finite = np.isfinite(predictions.confidence)
    confidence = predictions.confidence[finite].astype(np.float64)
    hits = (predictions.predicted == predictions.labels)[finite]
    # A sum in float32 can be a little more than 1.
    places = np.clip((confidence * BINS).astype(int), 0, BINS - 1)
    images = np.bincount(places, minlength=BINS)
    sums = [np.bincount(places, weights, BINS) for weights in (confidence, hits)]
    return tuple(
        CalibrationBin(
            low=number / BINS,
            high=(number + 1) / BINS,
            images=int(count),
            confidence=float(confident / count) if count else None,
            accuracy=float(right / count) if count else None,
        )
        for number, (count, confident, right) in enumerate(zip(images, *sums, strict=True))
    )


def calibration_error(predictions: Predictions, bins: tuple[CalibrationBin, ...]) -> float | None:
    """Compute the expected calibration error (Guo et al. 2017, equation 3), in [0, 1].

    It is how far confidence and accuracy lie apart, as a mean over images; None where some
    confidence is not finite.
    """
    if sum(each.images for each in bins) < len(predictions.labels):
        return None
    gaps = [
        each.images * abs(each.confidence - each.accuracy)
        for each in bins
        if each.confidence is not None and each.accuracy is not None
    ]
    return sum(gaps) / len(predictions.labels)


def _defined(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
