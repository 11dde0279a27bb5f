"""End a run that is good enough or gets no better, judged by the evaluations that it keeps.

The rules look at MODEL_DIR/eval/history.jsonl alone, so a run that is started again judges as one
that was never stopped, and goes on once the rules are loosened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import tensorflow as tf

from library.console import log
from library.exporters.history import read_history
from library.exporters.options import BestOptions, prefers_low
from library.modes.options import LoopOptions

History = Sequence[Mapping[str, Any]]


def metrics_asked(options: LoopOptions) -> Iterable[tuple[str, str]]:
    """Name the metrics that the rules look at, each with its flag."""
    if options.stop_threshold is not None:
        yield options.stop_metric, '--stop_metric'
    if options.early_stopping_patience is not None:
        yield options.early_stopping_metric, '--early_stopping_metric'


def with_directions(options: LoopOptions, best: BestOptions) -> LoopOptions:
    """Give a metric that is best_metric too the direction of that."""

    def direction(metric: str, mode: str) -> str:
        return best.best_metric_mode if mode == 'auto' and metric == best.best_metric else mode

    return replace(
        options,
        stop_metric_mode=direction(options.stop_metric, options.stop_metric_mode),
        early_stopping_metric_mode=direction(
            options.early_stopping_metric, options.early_stopping_metric_mode
        ),
    )


def reason_to_stop(history: History, options: LoopOptions) -> str | None:
    """Say why a run with these evaluations should end; None if it should go on.

    Args:
      history: the metrics of each evaluation, by step; None stands for what is not finite.
      options: the rules.
    """
    return _good_enough(history, options) or _no_better(history, options)


def _good_enough(history: History, options: LoopOptions) -> str | None:
    """Say which evaluation was the first to reach the threshold."""
    threshold, metric = options.stop_threshold, options.stop_metric
    if threshold is None:
        return None
    low = prefers_low(metric, options.stop_metric_mode)
    for each in history:
        value = each.get(metric)
        if value is not None and (value <= threshold if low else value >= threshold):
            return f'step {each["global_step"]}: {metric} {value:.4f} reaches {threshold:g}'
    return None


def _no_better(history: History, options: LoopOptions) -> str | None:
    """Say where the metric had gained nothing for as many evaluations as patience allows."""
    patience, metric = options.early_stopping_patience, options.early_stopping_metric
    if patience is None:
        return None
    sign = 1 if prefers_low(metric, options.early_stopping_metric_mode) else -1
    best, best_step, waited = float('inf'), 0, 0
    for each in history:
        value = each.get(metric)
        if value is not None and sign * value < best - options.early_stopping_min_delta:
            best, best_step, waited = sign * value, each['global_step'], 0
            continue
        waited += 1
        if waited >= patience:
            since = f'{sign * best:.4f} at step {best_step}' if best_step else 'the start'
            return f'step {each["global_step"]}: {metric} has not improved since {since}'
    return None


class EarlyStopping(tf.estimator.Exporter):
    """Judge after each evaluation; must come after the exporter that keeps the history."""

    def __init__(self, model_dir: str, options: LoopOptions):
        self._model_dir = model_dir
        self._options = options
        self.reason: str | None = None
        self.judge()

    @property
    def name(self) -> str:
        """Return the exporter's name."""
        return 'early_stopping'

    @property
    def is_asked(self) -> bool:
        """Return True if there is any rule."""
        return any(metrics_asked(self._options))

    @property
    def is_reached(self) -> bool:
        """Return True once the run is to end."""
        return self.reason is not None

    def export(
        self,
        estimator: tf.estimator.Estimator,
        export_path: str,
        checkpoint_path: str,
        eval_result: Mapping[str, Any],
        is_the_final_export: bool,
    ) -> None:
        """Look at the history; tf.estimator calls this with keywords."""
        del estimator, export_path, checkpoint_path, eval_result, is_the_final_export
        before = self.reason
        self.judge()
        if self.reason and not before:
            log(f'stopping early: {self.reason}')

    def judge(self) -> None:
        """Read the history, to which another process may have added, and judge."""
        self.reason = reason_to_stop(read_history(self._model_dir), self._options)
