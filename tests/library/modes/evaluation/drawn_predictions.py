"""Predictions of no model: drawn by chance, or written out."""

from __future__ import annotations

import numpy as np

from library.modes.evaluation.result import Predictions


def drawn(classes, images, seed=0, skill=2.0):
    """Predictions that are right more often than not; names are c0, c1 ..."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, images)
    logits = random.normal(size=(images, classes))
    logits[np.arange(images), labels] += skill
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    # Some equal ones.
    probabilities = np.round(probabilities, 2).astype(np.float32)
    return Predictions(tuple(f'c{n}' for n in range(classes)), labels, probabilities)


def written(labels, probabilities, names='abcdefgh'):
    """Predictions as they are given."""
    probabilities = np.array(probabilities, np.float32)
    return Predictions(tuple(names[: probabilities.shape[1]]), np.array(labels), probabilities)
