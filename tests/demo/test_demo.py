"""The demo: digits as pictures, a module made on the spot, and a run that learns from both."""

from __future__ import annotations

import os
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from demo.digits import write_digits
from demo.picture import draw_result
from tests.conftest import ROOT

pytestmark = pytest.mark.graph


@pytest.fixture(scope='module')
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp('digits')
    write_digits(str(folder))
    return folder


def test_every_digit_is_drawn_once_and_a_fifth_is_for_test(digits):
    train, test = (sorted((digits / split).glob('*/*.jpg')) for split in ('train', 'test'))
    assert (len(train), len(test)) == (1437, 360)
    assert len({path.name for path in [*train, *test]}) == 1797
    assert sorted(os.listdir(digits / 'train')) == list('0123456789')
    with Image.open(train[0]) as image:
        assert (image.format, image.mode, image.size) == ('JPEG', 'RGB', (32, 32))


def test_the_digits_are_the_same_every_time(digits, tmp_path):
    write_digits(str(tmp_path))
    for path in sorted(digits.glob('*/*/*.jpg'))[::100]:
        assert (tmp_path / path.relative_to(digits)).read_bytes() == path.read_bytes()


def test_the_picture_shows_a_curve_and_the_wrong_digits(tmp_path):
    history = [{'global_step': s, 'accuracy': s / 9, 'average_loss': 1 / s} for s in (3, 6, 9)]
    images = np.zeros((5, 8, 8, 3), np.uint8)
    labels = np.array([0, 1, 2, 0, 1])
    path = tmp_path / 'result.png'
    draw_result(str(path), history, images, labels, np.array([0, 1, 1, 0, 1]), 'abc')
    with Image.open(path) as picture:
        assert picture.size == (1200, 500)
        pixels = np.asarray(picture.convert('RGB')).reshape(-1, 3)
    assert (pixels == [255, 0, 0]).all(axis=1).any()


@pytest.mark.process
def test_the_whole_demo_reaches_95_percent_and_says_what_to_try_next(tmp_path, program):
    for name in ('project.yaml', 'hyperparameters.yaml'):
        shutil.copy(ROOT / name, tmp_path)
    done = program('-m', 'demo', cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stderr
    accuracy = re.search(r'test accuracy\s+(\d\.\d+) on 360 digits', done.stdout)
    assert float(accuracy[1]) >= 0.95
    assert (tmp_path / 'out' / 'demo' / 'best' / 'best.json').exists()
    assert (tmp_path / 'out' / 'demo' / 'result.png').exists()
    assert done.stdout.count('  .venv/bin/') == 7
