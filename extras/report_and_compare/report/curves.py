"""Draw the learning curves of a run's history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from extras.report_and_compare.report.run_files import RunFiles
from library.config.hparams import HParams
from library.exporters.history import HISTORY, best_of, number
from library.exporters.options import BestOptions, prefers_low
from library.pages.charts import Points, make_chart

# The first ones; `loss` as TensorFlow averages it counts a short last batch for too much.
_FIRST = ('average_loss', 'accuracy')
_NO_CURVES = ('loss', 'examples', 'global_step')
# What metrics.jsonl calls the same of a batch.
_OF_BATCHES = {'average_loss': 'loss', 'accuracy': 'accuracy'}
MOST_CHARTS = 6
# No float32 and no step is as large: a damaged line.
LARGEST = 1e39


def curves(run: RunFiles, hparams: HParams) -> dict[str, Any]:
    """Return the charts, the best step, and what to say where there are none."""
    measured = {name for each in run.history for name in each if number(each, name) is not None}
    others = sorted(measured - {*_FIRST, *_NO_CURVES})
    best = _best(run, hparams)
    charts = []
    for name in [*_FIRST, *others][:MOST_CHARTS]:
        series = {'evaluations': points_of(run.history, 'global_step', name)}
        if name in _OF_BATCHES:
            series['training batches'] = points_of(run.training, 'step', _OF_BATCHES[name])
        charts.append(make_chart(name, series, best[1] if best else None))
    text = f'The ring marks the best {best[0]}, at step {best[1]}.' if best else ''
    return {
        'charts': [chart for chart in charts if chart is not None],
        'has_training': bool(run.training),
        'best_text': text,
        'curves_split': _text_of(run, 'eval_split'),
        'no_charts': _why_none(run),
    }


def points_of(lines: Sequence[Mapping[str, Any]], step_name: str, name: str) -> Points:
    """Return (step, value) of each line that has the number, sorted by step."""
    found = [(each[step_name], number(each, name)) for each in lines]
    return sorted(
        (step, value)
        for step, value in found
        if value is not None and abs(value) < LARGEST and abs(step) < LARGEST
    )


def _best(run: RunFiles, hparams: HParams) -> tuple[str, int] | None:
    """Return metric and step of the best evaluation; None if there is none."""
    options = hparams.take(BestOptions)
    saved = run.values.get('best_metric')
    metric = options.best_metric if saved is None else str(saved.text)
    mode = run.values.get('best_metric_mode')
    lower = prefers_low(metric, options.best_metric_mode if mode is None else str(mode.text))
    best = best_of(run.history, metric, lower)
    return (metric, best['global_step']) if best else None


def _text_of(run: RunFiles, name: str) -> str:
    saved = run.values.get(name)
    return '' if saved is None else str(saved.text)


def _why_none(run: RunFiles) -> str:
    if run.folder is None:
        return (
            'The curves lie in the folder of the run that these checkpoints come from, which has '
            'been moved.'
        )
    return f'The run has no evaluations of its training ({"/".join(HISTORY)}).'
