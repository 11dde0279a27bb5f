"""The option class_weights, before the classes are known."""

from __future__ import annotations

import pytest

from library.errors import ConfigError
from library.models.class_weights import check_class_weights

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
