"""Options of training that do not go together."""

from __future__ import annotations

import pytest

from library.errors import ConfigError
from library.training.checks import check_loss_scale, check_schedule
from library.training.options import (
    SCHEDULES,
    CosineOptions,
    PiecewiseOptions,
    PolynomialOptions,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize('name', [name for name in SCHEDULES if name != 'piecewise'])
def test_every_schedule_is_right_as_it_comes(name):
    check_schedule(1e-4, SCHEDULES[name]())


def test_rising_boundaries_with_a_value_each_are_right():
    check_schedule(0.1, PiecewiseOptions((3, 6), (0.01, 0.5)))


@pytest.mark.parametrize('options', [PolynomialOptions, CosineOptions])
@pytest.mark.parametrize('end', [0.1, 0.2])
def test_a_rate_that_would_not_fall_is_refused(options, end):
    with pytest.raises(ConfigError) as error:
        check_schedule(0.1, options(end_learning_rate=end))
    assert str(error.value) == f'--end_learning_rate: {end} is not below the learning_rate 0.1'
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ('boundaries', 'values', 'message'),
    [
        ((), (), '--learning_rate_boundaries: piecewise rates take at least one, such as 30,60'),
        ((6, 3), (1, 2), '--learning_rate_boundaries: 6,3 do not rise'),
        ((3, 3), (1, 2), '--learning_rate_boundaries: 3,3 do not rise'),
        (
            (3, 6),
            (0.01,),
            '--learning_rate_values: 1 given, but there are 2 learning_rate_boundaries',
        ),
        ((3,), (), '--learning_rate_values: 0 given, but there are 1 learning_rate_boundaries'),
    ],
)
def test_boundaries_and_values_that_do_not_go_together_are_refused(boundaries, values, message):
    with pytest.raises(ConfigError) as error:
        check_schedule(0.1, PiecewiseOptions(boundaries, values))
    assert str(error.value) == message
    assert error.value.exit_code == 2


@pytest.mark.parametrize('text', ['dynamic', '1', '128', '1e3', '2.5'])
def test_a_loss_scale_is_dynamic_or_a_number(text):
    check_loss_scale(text)


@pytest.mark.parametrize('text', ['Dynamic', 'fast', '0', '0.5', '-8', 'inf', 'nan'])
def test_any_other_loss_scale_is_refused(text):
    with pytest.raises(ConfigError) as error:
        check_loss_scale(text)
    message = f'--loss_scale: {text!r} is neither dynamic nor a number of at least 1 such as 128'
    assert str(error.value) == message
    assert error.value.exit_code == 2
