"""Curves as drawings."""

from __future__ import annotations

import re

import pytest

from library.modes.report.charts import FRAME, make_chart, points_of

pytestmark = pytest.mark.unit


def places(line):
    return [tuple(map(float, pair)) for pair in re.findall(r'([\d.]+) ([\d.]+)', line.path)]


def test_points_are_sorted_and_what_is_no_number_is_left_out():
    values = (0.3, None, float('nan'), True, 'x', 1e200, 10**400)
    lines = [{'step': n, 'loss': value} for n, value in enumerate(values)]
    assert points_of(
        [{'step': 9, 'loss': 1}, *lines, {'step': 4}, {'step': 10**400, 'loss': 1}], 'step', 'loss'
    ) == [
        (0, 0.3),
        (9, 1),
    ]


def test_a_curve_runs_from_left_to_right_and_large_is_above():
    chart = make_chart('accuracy', {'evaluations': [(0, 0.5), (50, 0.75), (100, 1.0)]}, 50)
    (line,) = chart.lines
    (x0, y0), (x1, y1), (x2, y2) = places(line)
    assert 0 < x0 < x1 < x2 < FRAME.width
    assert FRAME.height > y0 > y1 > y2 > 0
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert chart.best == line.dots[1]
    assert [text for _, text in chart.x_ticks] == ['0', '20', '40', '60', '80', '100']
    assert [text for _, text in chart.y_ticks] == ['0.5', '0.6', '0.7', '0.8', '0.9', '1.0']


@pytest.mark.parametrize('value', [0.0, 5e-324, 1e-9, 1.0, -3.0, 123456.0, 1e38])
def test_one_point_alone_is_a_drawing_too(value):
    chart = make_chart('loss', {'evaluations': [(0, value)]}, 0)
    ((x, y),) = places(chart.lines[0])
    assert 0 < x < FRAME.width
    assert 0 < y < FRAME.height
    texts = [text for _, text in chart.y_ticks]
    assert len(set(texts)) == len(texts)


def test_many_points_are_averaged():
    points = [(step, step % 2) for step in range(10_000)]
    chart = make_chart('loss', {'evaluations': [(0, 0.1)], 'training': points}, None)
    assert len(places(chart.lines[1])) <= 200
    assert chart.best is None


def test_a_metric_without_values_has_no_drawing():
    assert make_chart('loss', {'evaluations': [], 'training': []}, None) is None


def test_the_drawing_is_told_in_words():
    chart = make_chart('loss', {'evaluations': [(1, 0.5), (2, 0.25)]}, None)
    assert chart.described == 'loss (evaluations) by step: from 0.5 at step 1 to 0.25 at step 2'
