"""The list of misclassified images."""

from __future__ import annotations

import numpy as np
import pytest

from library.modes.evaluation.mistakes import WITH_IMAGE, list_mistakes
from tests.library.modes.evaluation.drawn_predictions import written

pytestmark = pytest.mark.unit


def stored(numbers):
    """Files of images, in stored order."""
    for number in sorted(numbers):
        yield number, f'{number}.jpg', b'jpeg %d' % number


def test_the_most_confident_mistake_comes_first_with_its_file_and_both_probabilities():
    predictions = written([1, 1, 0, 0], [[0.75, 0.25], [0.25, 0.75], [0.125, 0.875], [1, 0]])
    first, second = list_mistakes(predictions, stored)
    assert (first.number, first.file, first.true, first.predicted) == (2, '2.jpg', 'a', 'b')
    assert (first.probability, first.true_probability) == (0.875, 0.125)
    assert (second.number, second.true, second.predicted) == (0, 'b', 'a')


def test_of_equal_probabilities_the_first_image_comes_first():
    predictions = written([1, 1, 1], [[1, 0]] * 3)
    assert [each.number for each in list_mistakes(predictions, stored)] == [0, 1, 2]


def test_only_the_first_ones_keep_their_image():
    sure = np.linspace(0.6, 0.9, WITH_IMAGE + 5)
    predictions = written([1] * len(sure), np.stack([sure, 1 - sure], axis=1))
    mistakes = list_mistakes(predictions, stored)
    assert [each.jpeg is not None for each in mistakes] == [True] * WITH_IMAGE + [False] * 5
    assert mistakes[0].jpeg == b'jpeg %d' % mistakes[0].number


def test_images_without_files_are_listed_too():
    (mistake,) = list_mistakes(written([1], [[1, 0]]), lambda numbers: iter(()))
    assert (mistake.file, mistake.jpeg) == ('', None)


def test_where_all_is_right_no_file_is_read():
    def read(numbers):
        raise AssertionError

    assert list_mistakes(written([0], [[1, 0]]), read) == ()
