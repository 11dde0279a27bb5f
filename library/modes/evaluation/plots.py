"""Draw the confusion matrix, and how far confidence can be trusted, as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from library.modes.evaluation.result import CalibrationBin, Evaluation, Predictions
from library.pages.png import png_of
from library.pages.short_text import short_name

# Points, 72 to an inch: smaller text cannot be read.
SMALLEST, LARGEST = 5.0, 10.0
# Inches of the matrix: a cell for each class between these; 1000 classes still have a pixel each.
CELL, LEAST, MOST = 0.5, 3.0, 10.0
# Where many cells share the width of a plot, few images shall be seen too.
MANY, GAMMA = 30, 0.3
BLUE, RED, GREY = '#8fb3dc', '#c8443c', '#888888'


@dataclass(frozen=True)
class Plots:
    """The drawings of one evaluation, as PNG bytes."""

    confusion: bytes
    calibration: bytes


def draw(evaluation: Evaluation) -> Plots:
    """Draw an evaluation, once for all that shows it: large matrices take seconds."""
    return Plots(draw_confusion(evaluation.predictions), draw_calibration(evaluation.calibration))


def draw_confusion(predictions: Predictions) -> bytes:
    """Draw the confusion matrix; cells are coloured by their share of the true class.

    Counts stand in the cells, and names beside them, as long as they can be read there.
    """
    counts, classes = predictions.confusion, len(predictions.class_names)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = float(np.clip(CELL * classes, LEAST, MOST))
    cell = side * 72 / classes
    names = [short_name(name) for name in predictions.class_names]
    font = min(LARGEST, 0.8 * cell)
    labelled = font >= SMALLEST
    margin = max(map(len, names)) * font * 0.6 / 72 if labelled else 0.5
    figure = Figure(figsize=(side + margin + 1.4, side + margin + 0.8), layout='constrained')
    axes = figure.add_subplot()
    norm = PowerNorm(GAMMA if classes > MANY else 1.0, 0.0, 1.0)
    image = axes.imshow(shares, cmap='Blues', norm=norm, interpolation='nearest')
    figure.colorbar(image, ax=axes, shrink=0.6, label='fraction of the true class')
    if labelled:
        places = range(classes)
        rotation = 0 if max(map(len, names)) * font * 0.6 < cell else 90
        axes.set_xticks(places, names, fontsize=font, rotation=rotation, parse_math=False)
        axes.set_yticks(places, names, fontsize=font, parse_math=False)
    if cell >= SMALLEST * 2:
        _write_counts(axes, counts, shares, cell)
    axes.set_xlabel('predicted' if labelled else 'predicted (number of the class)')
    axes.set_ylabel('true' if labelled else 'true (number of the class)')
    right, images = int(np.trace(counts)), int(counts.sum())
    axes.set_title(f'{right} of {images} images correct', fontsize=LARGEST)
    return png_of(figure)


def draw_calibration(bins: Sequence[CalibrationBin]) -> bytes:
    """Draw a reliability diagram, over a histogram of confidence.

    Where bars end below the diagonal, the model is surer than it should be (Guo et al. 2017,
    arXiv:1706.04599, figure 1).
    """
    figure = Figure(figsize=(4.8, 5.6), layout='constrained')
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    left = [each.low for each in bins]
    widths = [each.high - each.low for each in bins]
    style = {'align': 'edge', 'edgecolor': 'white', 'linewidth': 0.8}
    upper.bar(left, [each.accuracy or 0.0 for each in bins], widths, color=BLUE, **style)
    upper.plot([0, 1], [0, 1], '--', color='black', linewidth=1, label='accuracy = confidence')
    filled = [each for each in bins if each.images]
    upper.plot(
        [each.confidence for each in filled],
        [each.accuracy for each in filled],
        '.',
        color=RED,
        label='mean of each bin',
    )
    upper.set(xlim=(0, 1), ylim=(0, 1.02), ylabel='accuracy')
    figure.legend(loc='outside upper center', ncols=2, fontsize=8, frameon=False)
    images = [each.images for each in bins]
    lower.bar(left, images, widths, color=GREY, **style)
    lower.set(xlabel='confidence (probability of the answer)', ylabel='images')
    lower.set_ylim(0, max([1, *images]) * 1.05)
    lower.locator_params(axis='y', integer=True, nbins=4)
    return png_of(figure)


def _write_counts(axes: Any, counts: np.ndarray, shares: np.ndarray, cell: float) -> None:
    """Write how many images each cell holds, where the largest number fits."""
    font = min(LARGEST, cell / (0.7 * len(str(counts.max()))))
    if font < SMALLEST:
        return
    for row, column in np.argwhere(counts):
        # On a dark cell.
        color = 'white' if shares[row, column] > 0.5 else 'black'
        place = {'ha': 'center', 'va': 'center', 'fontsize': font, 'color': color}
        axes.text(column, row, str(counts[row, column]), **place)
