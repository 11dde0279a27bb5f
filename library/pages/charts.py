"""Draw numbers by step as lines, for a page."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import EngFormatter, MaxNLocator

from library.pages.thumbnails import data_uri

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

# Points: phones show a chart about as large as this many pixels.
WIDTH, HEIGHT = 360, 220
# The colours of base.html on white; in the dark the page turns the lightness of a chart around.
ACCENT, SOFT, GRID = '#0f766e', '#57534e', '#e2e0dd'
# More points than a screen has columns are averaged; as many as can be told apart are dotted.
MOST_POINTS, MOST_DOTS = 200, 30
# The most labels on an axis, and the round distances between them.
TICKS, STEPS = 7, (1, 2, 5, 10)
# Text stays text, in a font that every system replaces; equal drawings are equal files.
_STYLE: dict[RcKeyType, Any] = {
    'svg.fonttype': 'none',
    'svg.hashsalt': 'chart',
    'font.family': ['sans-serif'],
    'font.sans-serif': ['DejaVu Sans'],
    'font.size': 10,
    'axes.formatter.useoffset': False,
}
_NO_METADATA = dict.fromkeys(('Creator', 'Date', 'Format', 'Type'))

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Chart:
    """One drawing.

    Attributes:
      name: of the metric.
      image: the drawing as a data: URI, on no background.
      described: the drawing in words, for those who cannot see it.
      width, height: of the drawing, in points.
    """

    name: str
    image: str
    described: str
    width: int = WIDTH
    height: int = HEIGHT


def make_chart(name: str, series: Mapping[str, Points], best_step: int | None) -> Chart | None:
    """Draw one metric; None where there is nothing to draw.

    Args:
      name: of the metric.
      series: what each curve is called, and its points; the first is the one that is marked.
      best_step: step to mark with a ring.
    """
    series = {label: points for label, points in series.items() if points}
    if not series:
        return None
    label, marked = next(iter(series.items()))
    best = next((point for point in marked if point[0] == best_step), None)
    curves = [_averaged(points) for points in series.values()]
    return Chart(
        name,
        data_uri(_draw(curves, best), 'svg+xml'),
        f'{name} ({label}) by step: from {marked[0][1]:.4g} at step {marked[0][0]} '
        f'to {marked[-1][1]:.4g} at step {marked[-1][0]}',
    )


def _draw(curves: Sequence[Points], best: tuple[float, float] | None) -> bytes:
    """Draw the first curve over the others, as an SVG."""
    with matplotlib.rc_context(_STYLE):
        layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1)
        figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), layout=layout)
        axes = figure.add_subplot()
        for points in curves[1:]:
            axes.plot(*zip(*points, strict=True), color=SOFT, linewidth=1, alpha=0.75)
        first = curves[0]
        dots = 'o' if len(first) <= MOST_DOTS else ''
        axes.plot(*zip(*first, strict=True), color=ACCENT, linewidth=2, marker=dots, markersize=4)
        if best is not None:
            axes.plot(
                *best,
                'o',
                markersize=9,
                markerfacecolor='white',
                markeredgecolor=ACCENT,
                markeredgewidth=2.5,
                gid='ring',
                zorder=3,
            )
        # A run that was evaluated at its start alone has one point, at 0.
        axes.set_xlim(0, max(1.0, axes.get_xlim()[1]))
        axes.grid(axis='y', color=GRID)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0, labelcolor=SOFT)
        axes.xaxis.set_major_locator(MaxNLocator(TICKS, integer=True, steps=STEPS))
        axes.xaxis.set_major_formatter(EngFormatter(sep=''))
        axes.yaxis.set_major_locator(MaxNLocator(TICKS, steps=STEPS))
        drawn = io.BytesIO()
        figure.savefig(drawn, format='svg', transparent=True, metadata=_NO_METADATA)
    return drawn.getvalue()


def _averaged(points: Points) -> Points:
    """Average the points down to as many as are worth drawing."""
    size = math.ceil(len(points) / MOST_POINTS)
    parts = [points[i : i + size] for i in range(0, len(points), size)]
    return [(sum(s for s, _ in p) / len(p), sum(v for _, v in p) / len(p)) for p in parts]
