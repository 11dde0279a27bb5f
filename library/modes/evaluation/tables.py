"""Write what an evaluation found out as CSV files and as lines on the screen.

CSV holds numbers to six digits, an empty cell for what is not defined, and names as they are, in
UTF-8 (or the very bytes of a name that is none).
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence

from library.modes.evaluation.result import ClassScores, Mistake, Predictions
from library.pages.short_text import short_name

SCORES = ('precision', 'recall', 'f1', 'auc')


def per_class_csv(scores: Sequence[ClassScores]) -> bytes:
    """Write a row for each class, in the order of labels."""
    rows = ([each.name, each.support, *map(_cell, _numbers(each))] for each in scores)
    return _csv(('class', 'support', *SCORES), rows)


def confusion_csv(predictions: Predictions) -> bytes:
    """Write a row for each true class: how many of its images were taken for which class."""
    rows = zip(predictions.class_names, predictions.confusion.tolist(), strict=True)
    return _csv(('true', *predictions.class_names), ([name, *counts] for name, counts in rows))


def mistakes_csv(mistakes: Sequence[Mistake]) -> bytes:
    """Write a row for each misclassified image, the most confident mistake first."""
    header = ('number', 'file', 'true', 'predicted', 'probability', 'true_probability')
    rows = (
        [
            *(each.number, each.file, each.true, each.predicted),
            *map(_cell, (each.probability, each.true_probability)),
        ]
        for each in mistakes
    )
    return _csv(header, rows)


def metric_lines(metrics: Mapping[str, object]) -> list[str]:
    """Write a line for each metric."""
    width = max(map(len, metrics))
    return [
        f'{name:<{width}}  {f"{value:.4f}" if isinstance(value, float) else value}'
        for name, value in metrics.items()
    ]


def class_lines(scores: Sequence[ClassScores]) -> list[str]:
    """Write a line for each class, under a header."""
    rows = [(short_name(each.name), each.support, _numbers(each)) for each in scores]
    width = max(len('class'), *(len(name) for name, _, _ in rows))
    header = ''.join(f'  {title:>9}' for title in SCORES)
    lines = [f'{"class":<{width}}  {"images":>7}{header}']
    for name, support, numbers in rows:
        cells = ''.join(f'  {"-" if each is None else f"{each:.4f}":>9}' for each in numbers)
        lines.append(f'{name:<{width}}  {support:>7}{cells}')
    return lines


def _numbers(scores: ClassScores) -> tuple[float | None, ...]:
    return tuple(getattr(scores, name) for name in SCORES)


def _cell(value: float | None) -> str:
    return '' if value is None or not math.isfinite(value) else f'{value:.6g}'


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator='\n')
    table.writerow(header)
    table.writerows(rows)
    return text.getvalue().encode('utf-8', 'surrogateescape')
