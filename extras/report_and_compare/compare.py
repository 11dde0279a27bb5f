"""Compare runs: a table of what each reached, and of the options in which they differ.

Reads what the runs wrote, and no checkpoint: TensorFlow is not imported for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from extras.report_and_compare.comparison.differences import ABSENT, differing
from extras.report_and_compare.comparison.finding import find_runs
from extras.report_and_compare.comparison.folds import fold_lines
from extras.report_and_compare.comparison.names import short_names
from extras.report_and_compare.comparison.results import RunResult, read_result
from extras.report_and_compare.comparison.table import (
    WIDTH,
    Column,
    blocks_of,
    in_one_line,
    lines_of,
    width_of,
)
from library.config.hparams import HParams
from library.errors import ConfigError
from library.exporters.history import best_of, number
from library.exporters.options import prefers_low
from library.pages.short_text import printable, start_of
from library.suggestions import nearest_or_all

# Shown of each run, beside the metric that it is sorted by.
ALWAYS_SHOWN = ('accuracy', 'average_loss')
LONGEST_NAME = 40
# Marks a value that was measured apart from training.
MARK = '*'


def run_alone(hparams: HParams) -> int:
    """Print the tables; return the exit code.

    Raises:
      ConfigError: no runs are named, one is none, or no run has the metric to sort by.
    """
    if not hparams.runs:
        raise ConfigError('no runs to compare: run.py compare RUN [RUN ...] [--sort_by METRIC]')
    metric = hparams.sort_by
    runs = [read_result(folder) for folder in find_runs(hparams.runs)]
    known = set().union(*(run.metrics for run in runs))
    if metric == 'loss' and 'average_loss' in known:
        # Of a history `loss` is the mean over batches, of an evaluation that over images.
        metric = 'average_loss'
    if known and metric not in known:
        near = nearest_or_all(metric, sorted(known))
        raise ConfigError(f'{hparams.place("sort_by")}: no run has a metric {metric!r}{near}')
    lower = prefers_low(metric, 'auto')
    runs = sorted(runs, key=lambda run: _rank(run, metric, lower))
    print('\n'.join(tables(runs, metric, lower, differing(runs))))
    return 0


def tables(
    runs: Sequence[RunResult], metric: str, lower: bool, options: dict[str, list[str]]
) -> list[str]:
    """Return the lines for the screen.

    Args:
      runs: in the order of their rows.
      metric: that is shown first.
      lower: a smaller value of it is better.
      options: by name, the values of each run.
    """
    names = [in_one_line(name, LONGEST_NAME) for name in short_names([r.folder for r in runs])]
    summary = [('run', names), *_summary(runs, metric, lower)]
    shown = [(name, [in_one_line(value) for value in options[name]]) for name in options]
    notes = (
        [f'{MARK} by run.py evaluate'] if any(MARK in c for _, cs in summary for c in cs) else []
    )
    values = [number(_best(run, metric, lower)[0], metric) for run in runs]
    notes += fold_lines(metric, values, options)
    if sum(bool(run.values) for run in runs) > 1 and not options:
        notes.append('The runs do not differ in their options.')
    if width_of([*summary, *shown]) <= WIDTH:
        return [*lines_of([*summary, *shown]), *notes]
    # Too wide: the options become rows of a table of their own.
    first = ('option', list(options))
    headings = [in_one_line(name) for name in names]
    of_runs = [(name, [cells[i] for _, cells in shown]) for i, name in enumerate(headings)]
    lines = [*lines_of(summary), *notes]
    for block in blocks_of(first, of_runs):
        lines += ['', *block]
    return lines


def _summary(runs: Sequence[RunResult], metric: str, lower: bool) -> list[Column]:
    """Return the columns of what the runs reached, without those that are empty everywhere."""
    found = [_best(run, metric, lower) for run in runs]
    columns: dict[str, list[str]] = {metric: [], 'at step': []}
    columns |= {name: [] for name in ALWAYS_SHOWN if name != metric}
    columns |= {'evaluate': [], 'trained': [], 'epochs': []}
    for run, (best, mark) in zip(runs, found, strict=True):
        step = best.get('global_step')
        columns['at step'].append(ABSENT if step is None else str(step))
        for name in (metric, *(name for name in ALWAYS_SHOWN if name != metric)):
            value = number(best, name)
            columns[name].append(ABSENT if value is None else f'{value:.4f}{mark}')
        columns['evaluate'].append(_evaluated(run, metric, step))
        columns['trained'].append(ABSENT if run.steps is None else str(run.steps))
        columns['epochs'].append(ABSENT if run.epochs is None else f'{run.epochs:.4g}')
    is_apart = any(run.evaluated and not mark for run, (_, mark) in zip(runs, found, strict=True))
    return [c for c in columns.items() if c[0] != 'evaluate' or is_apart]


def _evaluated(run: RunResult, metric: str, best_step: Any) -> str:
    """Return what `run.py evaluate` found: the metric's value, on which split, at which step.

    And under which name, where the evaluation has one.
    """
    value = number(run.evaluated, metric)
    if value is None:
        return ABSENT
    step = run.evaluated.get('global_step')
    where = f' {run.evaluated["split"]}' if 'split' in run.evaluated else ''
    when = f', step {step}' if step != best_step else ''
    name = f', {run.evaluation}' if run.evaluation != 'eval' else ''
    return start_of(printable(f'{value:.4f}{where}{when}{name}'), LONGEST_NAME)


def _best(run: RunResult, metric: str, lower: bool) -> tuple[dict[str, Any], str]:
    """Return the evaluation that a run is ranked by, and its mark; {} if there is none."""
    best = best_of(run.history, metric, lower)
    if best is not None:
        return dict(best), ''
    return (run.evaluated, MARK) if number(run.evaluated, metric) is not None else ({}, '')


def _rank(run: RunResult, metric: str, lower: bool) -> tuple[bool, float, str]:
    """Sort the best first, and runs without such a metric last."""
    value = number(_best(run, metric, lower)[0], metric)
    if value is None:
        return True, 0, run.folder
    return False, value if lower else -value, run.folder
