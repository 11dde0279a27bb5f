"""Choose the figures at the head of the page."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from library.modes.evaluation.result import Evaluation

# Said in the line above the figures.
_IN_WORDS = ('examples', 'global_step', 'checkpoint', 'split')


def headline(model_dir: str, evaluation: Evaluation) -> dict[str, Any]:
    """Return title, one line, and a figure for each metric."""
    metrics = evaluation.metrics
    shown = {name: value for name, value in metrics.items() if name not in _IN_WORDS}
    # `loss` is the same number under the name that metrics.json always had.
    if 'average_loss' in shown and shown.get('loss') == shown['average_loss']:
        del shown['loss']
    tiles = [(name.replace('_', ' '), _figure(value)) for name, value in shown.items()]
    return {
        'title': '/'.join(os.path.normpath(model_dir).split('/')[-2:]).lstrip('/'),
        'subtitle': _subtitle(metrics, len(evaluation.predictions.mistakes)),
        'tiles': tiles,
    }


def _subtitle(metrics: Mapping[str, object], wrong: int) -> str:
    examples = metrics.get('examples')
    right = f'{examples - wrong} of {examples} images' if isinstance(examples, int) else 'Images'
    split = f' of {metrics["split"]}' if 'split' in metrics else ''
    step = f', at step {metrics["global_step"]}' if 'global_step' in metrics else ''
    checkpoint = f' ({metrics["checkpoint"]})' if 'checkpoint' in metrics else ''
    return f'{right}{split} classified correctly{step}{checkpoint}.'


def _figure(value: object) -> str:
    if value is None:
        return '-'
    return f'{value:.4f}' if isinstance(value, float) else str(value)
