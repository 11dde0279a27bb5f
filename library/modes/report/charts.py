"""Numbers by step to lines in a drawing that a browser scales."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from library.exporters.history import number

# More points than a screen has columns are averaged.
_MOST_POINTS = 200
# What no float32 reaches, and no step: a spoiled line.
_LARGEST = 1e39

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Frame:
    """A drawing's size and the edges of its field, in units of its own."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int


# Phones show it about as large as this many pixels; the ticks' texts are left of it, and below.
FRAME = Frame(width=360, height=220, left=46, right=346, top=12, bottom=190)


@dataclass(frozen=True)
class Line:
    """One curve: what it shows, its path, and its single points where these can be told apart."""

    name: str
    path: str
    dots: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Chart:
    """One drawing; all places are in its units.

    Attributes:
      name: of the metric.
      lines: the evaluations', and that of the training batches if they were kept.
      x_ticks, y_ticks: place and text.
      best: place of the best checkpoint; None where its step has no value.
      described: the drawing in words, for those who cannot see it.
    """

    name: str
    lines: tuple[Line, ...]
    x_ticks: tuple[tuple[str, str], ...]
    y_ticks: tuple[tuple[str, str], ...]
    best: tuple[str, str] | None
    described: str


def points_of(lines: Sequence[Mapping[str, Any]], step_name: str, name: str) -> Points:
    """(step, value) of each line that has the number; sorted by step."""
    found = [(each[step_name], number(each, name)) for each in lines]
    return sorted(
        (step, value)
        for step, value in found
        if value is not None and abs(value) < _LARGEST and abs(step) < _LARGEST
    )


def make_chart(name: str, series: Mapping[str, Points], best_step: int | None) -> Chart | None:
    """Draws one metric; None where there is nothing to draw.

    Args:
      name: of the metric.
      series: what each curve is called, and its points; the first is the one that is marked.
      best_step: step to mark.
    """
    series = {label: points for label, points in series.items() if points}
    if not series:
        return None
    every = [point for points in series.values() for point in points]
    thin = {label: _averaged(points) for label, points in series.items()}
    values = [value for points in thin.values() for _, value in points]
    x_ticks = _ticks(0, max(step for step, _ in every), 5)
    y_ticks = _ticks(min(values), max(values), 5)

    def x(step: float) -> str:
        return _place(step, x_ticks, FRAME.left, FRAME.right)

    def y(value: float) -> str:
        return _place(value, y_ticks, FRAME.bottom, FRAME.top)

    lines = tuple(_line(label, [(x(s), y(v)) for s, v in thin[label]]) for label in thin)
    label, marked = next(iter(series.items()))
    best = next((point for point in marked if point[0] == best_step), None)
    return Chart(
        name,
        lines,
        tuple((x(tick), _number(tick, x_ticks)) for tick in x_ticks),
        tuple((y(tick), _number(tick, y_ticks)) for tick in y_ticks),
        (x(best[0]), y(best[1])) if best else None,
        f'{name} ({label}) by step: from {marked[0][1]:.4g} at step {marked[0][0]} '
        f'to {marked[-1][1]:.4g} at step {marked[-1][0]}',
    )


def _line(name: str, places: Sequence[tuple[str, str]]) -> Line:
    path = 'M' + ' L'.join(f'{x} {y}' for x, y in places)
    return Line(name, path, tuple(places) if len(places) <= 30 else ())


def _averaged(points: Points) -> Points:
    """At most so many points as are worth drawing."""
    size = math.ceil(len(points) / _MOST_POINTS)
    parts = [points[i : i + size] for i in range(0, len(points), size)]
    return [(sum(s for s, _ in p) / len(p), sum(v for _, v in p) / len(p)) for p in parts]


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers from below `low` to above `high`, about `count` steps apart."""
    span = (high - low) or abs(high)
    span = span if span > 1e-12 else 1
    size = 10 ** math.floor(math.log10(span / count))
    size *= next(factor for factor in (1, 2, 5, 10) if span / (factor * size) <= count)
    first, last = math.floor(low / size), math.ceil(high / size)
    return [size * n for n in range(first, max(last, first + 1) + 1)]


def _place(value: float, ticks: Sequence[float], start: float, end: float) -> str:
    share = (value - ticks[0]) / (ticks[-1] - ticks[0])
    return f'{start + share * (end - start):.1f}'


def _number(tick: float, ticks: Sequence[float]) -> str:
    """A tick with the decimals that tell it from the next."""
    step = ticks[1] - ticks[0]
    if step >= 1000:
        return f'{tick / 1000:g}k' if ticks[-1] < 1e6 else f'{tick:.3g}'
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return f'{tick:.{decimals}f}' if decimals < 5 else f'{tick:.1e}'
