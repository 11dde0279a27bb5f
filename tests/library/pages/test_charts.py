"""Curves as drawings."""

from __future__ import annotations

import base64
import math
import re

import pytest

from library.pages.charts import HEIGHT, WIDTH, make_chart


def drawing(chart):
    """The SVG of a chart."""
    kind, _, content = chart.image.partition(',')
    assert kind == 'data:image/svg+xml;base64'
    return base64.b64decode(content).decode()


def curves(chart):
    """The places of each curve, the evaluations' last; grids and frames are of two or five."""
    paths = re.findall(r'<path d="([^"]*)"[^>]*stroke: #(?:0f766e|57534e)', drawing(chart))
    return [
        [tuple(map(float, pair)) for pair in re.findall(r'[ML] ([\d.]+) ([\d.]+)', path)]
        for path in paths
    ]


def texts(chart):
    """What the ticks say: steps, then values."""
    return re.findall(r'>([^<>\n]+)</text>', drawing(chart))


def test_a_curve_runs_from_left_to_right_and_large_is_above():
    chart = make_chart('accuracy', {'evaluations': [(0, 0.5), (50, 0.75), (100, 1.0)]}, 50)
    (x0, y0), (x1, y1), (x2, y2) = curves(chart)[0]
    assert 0 < x0 < x1 < x2 < WIDTH
    assert HEIGHT > y0 > y1 > y2 > 0
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert texts(chart) == [
        '0',
        '20',
        '40',
        '60',
        '80',
        '100',
        '0.5',
        '0.6',
        '0.7',
        '0.8',
        '0.9',
        '1.0',
    ]


def test_the_best_evaluation_has_a_ring_where_it_lies():
    chart = make_chart('loss', {'evaluations': [(0, 0.5), (50, 0.75)]}, 50)
    place = re.search(r'id="ring".*?<use [^>]*x="([\d.]+)" y="([\d.]+)"', drawing(chart), re.DOTALL)
    assert tuple(map(float, place.groups())) == pytest.approx(curves(chart)[0][1])
    assert 'id="ring"' not in drawing(make_chart('loss', {'evaluations': [(0, 0.5)]}, 50))


@pytest.mark.parametrize('value', [0.0, 5e-324, 1e-9, 1.0, -3.0, 123456.0, 1e38])
def test_one_point_alone_is_a_drawing_too(value):
    chart = make_chart('loss', {'evaluations': [(0, value)]}, 0)
    ((x, y),) = curves(chart)[0]
    assert 0 < x < WIDTH
    assert 0 < y < HEIGHT
    assert len(set(texts(chart))) == len(texts(chart))


def test_many_points_are_averaged():
    points = [(step, math.sin(step / 300)) for step in range(10_000)]
    chart = make_chart('loss', {'evaluations': [(0, 0.1)], 'training': points}, None)
    assert 20 < len(curves(chart)[0]) <= 200


def test_thousands_of_steps_are_short_and_no_value_has_an_offset():
    chart = make_chart('loss', {'evaluations': [(0, 1.00001), (40_000, 1.00003)]}, None)
    assert texts(chart)[:3] == ['0', '10k', '20k']
    assert '1.00002' in ' '.join(texts(chart))


def test_a_metric_without_values_has_no_drawing():
    assert make_chart('loss', {'evaluations': [], 'training': []}, None) is None


def test_the_drawing_is_reported_in_words():
    chart = make_chart('loss', {'evaluations': [(1, 0.5), (2, 0.25)]}, None)
    assert chart.described == 'loss (evaluations) by step: from 0.5 at step 1 to 0.25 at step 2'


def test_a_drawing_is_small_runs_nothing_and_is_the_same_again():
    series = {'evaluations': [(step, 1 / (step + 1)) for step in range(30)]}
    first, second = (make_chart('loss', series, 3) for _ in range(2))
    assert first == second
    assert len(first.image) < 20_000
    assert '<script' not in drawing(first)
