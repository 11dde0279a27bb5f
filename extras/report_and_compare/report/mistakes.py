"""Find the pairs of classes confused most, and the most confident mistakes with images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from library.modes.evaluation.mistakes import WITH_IMAGE
from library.modes.evaluation.result import Mistake, Predictions
from library.pages.thumbnails import thumbnail

MOST_PAIRS = 10


@dataclass(frozen=True)
class ConfusedPair:
    """Images of one class that were taken for another, and their share of the class."""

    true: str
    predicted: str
    images: int
    share: float


def confused_pairs(predictions: Predictions) -> list[ConfusedPair]:
    """Return the pairs of classes with the most mistakes; ties in the order of labels."""
    wrong = predictions.confusion.copy()
    np.fill_diagonal(wrong, 0)
    totals = predictions.confusion.sum(axis=1)
    first = np.argsort(-wrong, axis=None, kind='stable')[:MOST_PAIRS]
    places = zip(*np.unravel_index(first, wrong.shape), strict=True)
    return [
        ConfusedPair(
            predictions.class_names[true],
            predictions.class_names[predicted],
            int(wrong[true, predicted]),
            float(wrong[true, predicted] / totals[true]),
        )
        for true, predicted in places
        if wrong[true, predicted]
    ]


def worst_mistakes(mistakes: Sequence[Mistake]) -> dict[str, Any]:
    """Return the most confident mistakes, and how many mistakes there are."""
    shown = [
        {
            'image': thumbnail(each.jpeg),
            'true': each.true,
            'predicted': each.predicted,
            'probability': each.probability,
            'file': each.file,
        }
        for each in mistakes[:WITH_IMAGE]
    ]
    text = 'The most confident wrong answers: true class, predicted class, its probability, file.'
    if len(mistakes) > len(shown):
        text = f'{len(shown)} of {len(mistakes)} (mistakes.csv has all). {text}'
    return {'mistakes': shown, 'mistakes_text': text}
