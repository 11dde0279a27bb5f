"""Plots of an evaluation, read back as pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from library.modes.evaluation.metrics import calibration
from library.modes.evaluation.plots import draw_calibration, draw_confusion
from tests.library.modes.evaluation.drawn_predictions import drawn, written

pytestmark = pytest.mark.graph

DARKEST = (8, 48, 107)  # of the colour scale: all images of a class


def pixels(png):
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == 'PNG'
        return np.asarray(image.convert('RGB')).astype(int)


def share_of(plot, color, off=4):
    return float(np.mean(np.abs(plot - color).max(axis=-1) < off))


def longest_run(line):
    """How many true values follow each other at most."""
    edges = np.flatnonzero(np.diff([0, *line.astype(int), 0]))
    return max(edges[1::2] - edges[::2], default=0)


def matrix(plot):
    """The part within the frame, whose lines are the longest of no colour."""
    black = (plot.max(axis=-1) < 160) & (np.ptp(plot, axis=-1) < 10)
    ends = []
    for lines in (black, black.T):
        runs = np.array([longest_run(line) for line in lines])
        found = np.flatnonzero(runs > 0.9 * runs.max())
        ends.append(slice(found[0] + 3, found[-1] - 2))
    return plot[tuple(ends)]


@pytest.mark.parametrize('classes', [1, 2, 30, 1000])
def test_a_matrix_of_any_size_stays_a_plot_that_a_screen_can_show(classes):
    height, width, _ = pixels(draw_confusion(drawn(classes, 3 * classes))).shape
    assert 300 < height < 2000
    assert 300 < width < 2000


def test_where_all_is_right_the_diagonal_is_dark_and_the_rest_is_light():
    inside = matrix(pixels(draw_confusion(written(range(4), np.eye(4)))))
    height, width, _ = inside.shape
    for row in range(4):
        for column in range(4):
            place = inside[
                row * height // 4 + 5 : (row + 1) * height // 4 - 5,
                column * width // 4 + 5 : (column + 1) * width // 4 - 5,
            ]
            assert (share_of(place, DARKEST) > 0.9) == (row == column)


def test_rows_are_true_classes():
    inside = matrix(pixels(draw_confusion(written([0, 0], [[0, 1], [0, 1]]))))
    height, width, _ = inside.shape
    assert share_of(inside[: height // 2, width // 2 :], DARKEST) > 0.8
    assert share_of(inside[height // 2 :], DARKEST) < 0.05


def test_numbers_stand_in_the_cells_where_they_fit():
    # White is in no cell but as the colour of numbers.
    few, many = (
        matrix(pixels(draw_confusion(written(range(n), np.eye(n), [''] * n)))) for n in (4, 150)
    )
    assert share_of(few, (255, 255, 255)) > 0.0002
    assert share_of(many, (255, 255, 255)) == 0


def test_each_of_many_classes_has_a_pixel_of_its_own():
    inside = matrix(pixels(draw_confusion(written(range(1000), np.eye(1000), [''] * 1000))))
    dark = np.abs(inside - DARKEST).max(axis=-1) < 60
    assert dark.any(axis=0).mean() > 0.98
    assert dark.mean() < 0.003


@pytest.mark.parametrize('classes', [7, 49])
def test_names_of_any_kind_are_drawn_and_leave_room_for_the_matrix(classes):
    names = ['$x^', '<script>', '\udcff', 'a\nb', '漢字', 'W' * 300, ''] * (classes // 7)
    plot = pixels(draw_confusion(written(range(classes), np.eye(classes), names)))
    assert matrix(plot).size > 0.1 * plot.size


def test_bars_are_as_high_as_the_accuracy_is():
    sure = np.tile([[1.0, 0.0]], [40, 1])
    heights = []
    for right in (0.25, 0.5, 1.0):
        labels = (np.arange(40) >= right * 40).astype(int)
        plot = pixels(draw_calibration(calibration(written(labels, sure))))
        upper = plot[: int(0.68 * len(plot))]
        heights.append(share_of(upper, (143, 179, 220)))
    assert heights[1] == pytest.approx(2 * heights[0], rel=0.1)
    assert heights[2] == pytest.approx(4 * heights[0], rel=0.1)


def test_bins_without_images_are_no_failure():
    nothing = written([0], [[np.nan, np.nan]])
    assert pixels(draw_calibration(calibration(nothing))).size > 0
