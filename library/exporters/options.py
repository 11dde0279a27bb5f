"""Declare the options of the best checkpoints."""

from __future__ import annotations

from dataclasses import dataclass

from library.config.fields import PROJECT, Options, option


@dataclass(frozen=True)
class BestOptions(Options, group='checkpoints', home=PROJECT):
    """Which checkpoints are the best, and where they go."""

    best_model_dir: str = option(
        'out/current/best',
        'Folder for the best checkpoints; works as a --model_dir.',
        kept_with_run=True,
    )
    best_metric: str = option('average_loss', 'Metric that decides which checkpoint is best.')
    best_metric_mode: str = option(
        'auto',
        'Whether less or more is better; auto: less for losses and errors, otherwise more.',
        choices=('auto', 'min', 'max'),
    )
    best_checkpoints: int = option(1, 'How many of the best are kept.', unit='checkpoints', low=1)


def prefers_low(metric: str, mode: str) -> bool:
    """Return whether a smaller value of the metric is better; 'auto' decides by its name."""
    if mode == 'auto':
        return any(word in metric for word in ('loss', 'error', 'entropy'))
    return mode == 'min'
