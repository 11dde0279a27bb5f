"""The option class_weights, before and after the classes are known."""

from __future__ import annotations

import numpy as np
import pytest

from library.errors import ConfigError
from library.models.class_weights import check_class_weights, class_weights

pytestmark = pytest.mark.unit


@pytest.mark.parametrize('given', [(), ('balanced',), ('1', '0', '2.5e3')])
def test_nothing_balanced_and_numbers_are_right(given):
    check_class_weights(given)


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        (('1', 'foo'), "'foo' is not balanced alone, nor a number for each class"),
        (('balanced', '1'), "'balanced' is not balanced alone, nor a number for each class"),
        (('1', '-2'), '-2 is not a finite number of at least 0'),
        (('inf',), 'inf is not a finite number of at least 0'),
        (('nan',), 'nan is not a finite number of at least 0'),
    ],
)
def test_anything_else_is_refused_with_its_place(given, message):
    with pytest.raises(ConfigError) as error:
        check_class_weights(given, "sets.yaml:3: key 'class_weights'")
    assert str(error.value) == f"sets.yaml:3: key 'class_weights': {message}"
    assert error.value.exit_code == 2


NAMES = ('blue', 'green', 'red')


def test_without_the_option_there_are_no_weights():
    assert class_weights((), (1, 2, 3), NAMES) is None


def test_balanced_weights_are_those_of_scikit_learn():
    weights = class_weights(('balanced',), (10, 30, 60), NAMES)
    # compute_class_weight('balanced', ...) on 10, 30 and 60 labels.
    assert weights == pytest.approx([100 / 30, 100 / 90, 100 / 180])
    assert np.dot(weights, (10, 30, 60)) == pytest.approx(100)


def test_weights_may_be_given_in_the_order_of_labels():
    assert class_weights(('1', '0', '2.5'), (), NAMES) == [1.0, 0.0, 2.5]


@pytest.mark.parametrize(
    ('given', 'counts', 'message'),
    [
        (('1', '2'), (1, 2, 3), ' 1,2: 2 given, but there are 3 classes (blue, green, red)'),
        (('1', '2', '3', '4'), (), ' 1,2,3,4: 4 given, but there are 3 classes (blue, green, red)'),
        (('1', 'x', '3'), (), ": 'x' is not balanced alone, nor a number for each class"),
        (('balanced',), (4, 0, 3), ' balanced: there are no training images of green'),
        (('balanced',), (), ' balanced: the images of this data set were not counted by class'),
    ],
)
def test_what_are_no_weights_for_these_classes_is_refused(given, counts, message):
    with pytest.raises(ConfigError) as error:
        class_weights(given, counts, NAMES)
    assert str(error.value).startswith(f'--class_weights{message}')
    assert error.value.exit_code == 2
