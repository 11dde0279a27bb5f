"""Tables of an evaluation, as another program reads them and as a person sees them."""

from __future__ import annotations

import csv
import io

import pytest

from library.modes.evaluation.result import ClassScores, Mistake
from library.modes.evaluation.tables import (
    class_lines,
    confusion_csv,
    metric_lines,
    mistakes_csv,
    per_class_csv,
)
from tests.library.modes.evaluation.drawn_predictions import written

pytestmark = pytest.mark.unit

# Commas, quotes, breaks, bytes that are no UTF-8, and what a page or a formula would read.
ODD = ['a,b', 'say "no"', 'two\nlines', '\udcff', '<script>', '$x$', '=1+1', 'ä', ' x ']


def rows_of(table):
    return list(csv.reader(io.StringIO(table.decode('utf-8', 'surrogateescape'), newline='')))


def test_rows_of_the_matrix_are_true_classes_and_columns_the_predictions():
    predictions = written([0, 0, 1], [[1, 0], [0, 1], [0, 1]])
    assert confusion_csv(predictions) == b'true,a,b\na,1,1\nb,0,1\n'


def test_names_of_any_kind_come_back_as_they_were():
    predictions = written(range(len(ODD)), [[1.0] + [0.0] * 8] * len(ODD), ODD)
    rows = rows_of(confusion_csv(predictions))
    assert rows[0] == ['true', *ODD]
    assert [row[0] for row in rows[1:]] == ODD
    scores = [ClassScores(name, 1, None, 0.0, 0.0, 0.5) for name in ODD]
    assert [row[0] for row in rows_of(per_class_csv(scores))[1:]] == ODD
    mistakes = [Mistake(7, name, name, 'b', 0.5, 0.25) for name in ODD]
    assert [row[1:3] for row in rows_of(mistakes_csv(mistakes))[1:]] == [[n, n] for n in ODD]


def test_what_is_not_defined_is_an_empty_cell():
    table = per_class_csv([ClassScores('a', 0, None, 1 / 3, 1.0, None)])
    assert table == b'class,support,precision,recall,f1,auc\na,0,,0.333333,1,\n'


def test_a_probability_that_is_not_finite_is_an_empty_cell():
    table = mistakes_csv([Mistake(3, 'x.jpg', 'a', 'b', float('nan'), 0.125)])
    assert table.splitlines()[1] == b'3,x.jpg,a,b,,0.125'


def test_lines_on_the_screen_stand_below_each_other():
    lines = metric_lines({'accuracy': 0.25, 'top_5_accuracy': 1.0, 'auc': None, 'examples': 4})
    assert lines == [
        'accuracy        0.2500',
        'top_5_accuracy  1.0000',
        'auc             None',
        'examples        4',
    ]
    scores = [ClassScores('a', 3, None, 1.0, 0.0, 0.5), ClassScores('a' * 99, 1, *[0.0] * 4)]
    header, first, second = class_lines(scores)
    assert header.split() == ['class', 'images', 'precision', 'recall', 'f1', 'auc']
    assert first.split() == ['a', '3', '-', '1.0000', '0.0000', '0.5000']
    assert len(header) == len(first) == len(second)


def test_a_name_cannot_write_over_the_screen():
    (_, line) = class_lines([ClassScores('a\r\x1b[2Jb', 1, *[0.0] * 4)])
    assert line.startswith('a??[2Jb ')
