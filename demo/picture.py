"""Draw the demo's result: the learning curve, and digits with their predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

COLUMNS, ROWS = 8, 5


def draw_result(
    path: str,
    history: Sequence[dict[str, Any]],
    images: np.ndarray,
    labels: np.ndarray,
    predicted: np.ndarray,
    class_names: Sequence[str],
) -> None:
    """Draw the picture.

    Args:
      path: of the PNG.
      history: the evaluations, each with global_step, accuracy and average_loss.
      images: uint8 [count, size, size, 3]; wrong ones are shown first, then right ones.
      labels, predicted: int [count].
      class_names: by label.
    """
    figure = Figure(figsize=(12, 5), layout='constrained')
    left, right = figure.subfigures(1, 2)
    _draw_curve(left.subplots(), history)
    wrong_first = np.argsort(labels == predicted, kind='stable')
    errors = int((labels != predicted).sum())
    right.suptitle(f'{errors} of {len(labels)} test digits wrong (red: true > predicted)')
    for axes, index in zip(right.subplots(ROWS, COLUMNS).flat, wrong_first, strict=False):
        axes.imshow(images[index])
        axes.axis('off')
        true, guess = class_names[labels[index]], class_names[predicted[index]]
        wrong = true != guess
        axes.set_title(
            f'{true} > {guess}' if wrong else guess, color='red' if wrong else 'black', fontsize=10
        )
    figure.savefig(path, dpi=100)


def _draw_curve(axes: Any, history: Sequence[dict[str, Any]]) -> None:
    steps = [each['global_step'] for each in history]
    axes.plot(steps, [each['accuracy'] for each in history], 'o-', color='tab:blue')
    axes.set_xlabel('training step')
    axes.set_ylabel('test accuracy', color='tab:blue')
    axes.grid(alpha=0.3)
    axes.set_title(f'best accuracy {max(each["accuracy"] for each in history):.3f}')
    losses = axes.twinx()
    losses.plot(steps, [each['average_loss'] for each in history], 's--', color='tab:orange')
    losses.set_ylim(bottom=0)
    losses.set_ylabel('test loss', color='tab:orange')
