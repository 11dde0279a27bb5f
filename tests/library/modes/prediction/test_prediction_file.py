"""Predictions in files: columns, odd names, exact numbers."""

from __future__ import annotations

import csv
import io
import json
import os

import numpy as np
import pytest

from library.modes.prediction.image_predictions import Prediction
from library.modes.prediction.prediction_file import csv_rows, encoded

pytestmark = pytest.mark.graph

GOOD = Prediction('a, b.jpg', (('cat', np.float32(0.9)), ('dog', np.float32(1e-7))))
BAD = Prediction('x\n"y".jpg', (), 'empty file')


def content(path, batches, count):
    return b''.join(encoded(path, batches, count))


def test_a_csv_file_has_a_header_and_a_row_for_each_image():
    text = content('x.CSV', [[GOOD], [BAD]], 2).decode()
    assert text.splitlines()[0] == 'file,class,probability,class_2,probability_2,error'
    assert list(csv.reader(io.StringIO(text)))[1:] == [
        ['a, b.jpg', 'cat', '0.9', 'dog', '1e-07', ''],
        ['x\n"y".jpg', '', '', '', '', 'empty file'],
    ]


def test_one_class_takes_one_pair_of_columns():
    assert content('x.csv', [], 1) == b'file,class,probability,error\n'


def test_probabilities_are_the_same_floats_when_read_again():
    value = np.float32(0.1) / np.float32(3)
    row = csv_rows([Prediction('a', (('x', value),))], 1).decode()
    assert np.float32(row.split(',')[2]) == value
    (line,) = content('x.jsonl', [[Prediction('a', (('x', value),))]], 1).splitlines()
    assert np.float32(json.loads(line)['predictions'][0]['probability']) == value


def test_json_lines_hold_predictions_or_an_error():
    lines = content('x.jsonl', [[GOOD], [BAD]], 2).splitlines()
    assert [json.loads(line) for line in lines] == [
        {
            'file': 'a, b.jpg',
            'predictions': [
                {'class': 'cat', 'probability': 0.9},
                {'class': 'dog', 'probability': 1e-07},
            ],
        },
        {'file': 'x\n"y".jpg', 'error': 'empty file'},
    ]


def test_odd_bytes_of_names_survive_in_both():
    name = os.fsdecode(b'\xff\xc3\xa9.jpg')
    prediction = Prediction(name, ((name, np.float32(1)),))
    assert b'\n\xff\xc3\xa9.jpg,\xff\xc3\xa9.jpg,' in content('x.csv', [[prediction]], 1)
    line = json.loads(content('x.jsonl', [[prediction]], 1))
    assert os.fsencode(line['file']) == os.fsencode(line['predictions'][0]['class'])
    assert os.fsencode(line['file']) == b'\xff\xc3\xa9.jpg'
