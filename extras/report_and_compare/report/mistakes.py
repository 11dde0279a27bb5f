"""Find the pairs of classes confused most, and the most confident mistakes with images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from library.modes.evaluation.mistakes import WITH_IMAGE
from library.modes.evaluation.result import Mistake, Predictions
from library.pages.thumbnails import thumbnail

MOST_PAIRS = 10


def confused_pairs(predictions: Predictions) -> list[dict[str, Any]]:
    """Find the pairs of classes with the most mistakes; of equals in the order of labels."""
    wrong = predictions.confusion.copy()
    np.fill_diagonal(wrong, 0)
    totals = predictions.confusion.sum(axis=1)
    first = np.argsort(-wrong, axis=None, kind='stable')[:MOST_PAIRS]
    places = zip(*np.unravel_index(first, wrong.shape), strict=True)
    return [
        {
            'true': predictions.class_names[true],
            'predicted': predictions.class_names[predicted],
            'images': wrong[true, predicted],
            'share': wrong[true, predicted] / totals[true],
        }
        for true, predicted in places
        if wrong[true, predicted]
    ]


def worst_mistakes(mistakes: Sequence[Mistake]) -> dict[str, Any]:
    """Show the most confident ones, and say how many there are."""
    shown = [{**vars(each), 'image': thumbnail(each.jpeg)} for each in mistakes[:WITH_IMAGE]]
    text = 'The surest wrong answers: true class, predicted class, its probability, file.'
    if len(mistakes) > len(shown):
        text = f'{len(shown)} of {len(mistakes)} (mistakes.csv has all). {text}'
    return {'mistakes': shown, 'mistakes_text': text}
