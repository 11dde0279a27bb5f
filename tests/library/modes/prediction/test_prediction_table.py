"""The table on the screen: its columns, its width, and names that would break it."""

from __future__ import annotations

import numpy as np
import pytest

from library.modes.prediction.image_predictions import Prediction
from library.modes.prediction.prediction_table import PredictionTable

pytestmark = pytest.mark.graph


def prediction(file, *predictions):
    return Prediction(file, tuple((name, np.float32(value)) for name, value in predictions))


def test_the_columns_stand_below_each_other():
    table = PredictionTable(['cat', 'dog'], 2, width=80)
    predictions = [
        prediction('a.jpg', ('cat', 0.9), ('dog', 0.1)),
        Prediction('long.jpg', (), 'empty file'),
    ]
    assert table.lines(predictions) == [
        'file      class  probability  next',
        'a.jpg     cat         0.9000  dog 0.1000',
        'long.jpg  error: empty file',
    ]
    assert table.lines([prediction('b.jpg', ('dog', 1.0), ('cat', 0.0))]) == [
        'b.jpg     dog         1.0000  cat 0.0000'
    ]


def test_without_other_classes_there_is_no_column_for_them():
    table = PredictionTable(['cat', 'dog'], 1, width=80)
    assert table.lines([prediction('a', ('cat', 0.9))])[0] == 'file  class  probability'


@pytest.mark.parametrize(('width', 'most'), [(20, 80), (100, 100), (500, 120)])
def test_no_line_is_wider_than_the_screen(width, most):
    names = [f'a class of a long name {n}' for n in range(9)]
    table = PredictionTable(names, 9, width=width)
    long = prediction('x' * 300, *((name, 0.1) for name in names))
    lines = table.lines([long, Prediction('y' * 300, (), 'z' * 300)])
    assert max(map(len, lines)) <= most
    assert lines[1].startswith('…x')
    assert 'a class of a long n…' in lines[1]


def test_names_that_move_the_cursor_or_are_no_text_do_not():
    table = PredictionTable(['cat'], 1, width=80)
    assert table.lines([prediction('\x1b[2J\n\udcff.jpg', ('cat', 1.0))])[1].startswith(
        '?[2J??.jpg  '
    )


def test_no_predictions_are_no_lines():
    assert PredictionTable(['cat'], 1, width=80).lines([]) == []
