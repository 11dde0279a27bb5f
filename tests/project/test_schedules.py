"""Steps to learning rates, against numbers worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from library.errors import ConfigError
from library.training.schedule import learning_rate
from project.schedules import SCHEDULES, Cosine, Exponential, Fixed, Piecewise, Polynomial


def rates(steps, options, start=0.8, steps_per_epoch=10.0, total_steps=100, warmup_epochs=0.0):
    """The rates of some steps, of one graph as it is trained."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        step = tf.compat.v1.placeholder(tf.int64, [])
        rate = learning_rate(
            options,
            step,
            start,
            steps_per_epoch=steps_per_epoch,
            total_steps=total_steps,
            warmup_epochs=warmup_epochs,
        )
        assert rate.dtype == tf.float32
        assert rate.shape == []
        return [session.run(rate, {step: each}) for each in steps]


def test_a_fixed_rate_stays():
    assert rates([0, 50, 99, 1000], Fixed()) == pytest.approx([0.8] * 4)


def test_the_warm_up_rises_in_a_line_and_reaches_the_rate_at_its_last_step():
    found = rates([0, 1, 9, 19, 20, 99], Fixed(), warmup_epochs=2)
    assert found == pytest.approx([0.8 / 20, 0.8 * 2 / 20, 0.4, 0.8, 0.8, 0.8])


def test_a_warm_up_of_part_of_an_epoch_is_rounded_to_steps():
    found = rates([0, 1, 2, 3], Fixed(), steps_per_epoch=5.5, warmup_epochs=0.5)
    assert found == pytest.approx([0.8 / 3, 1.6 / 3, 0.8, 0.8])


def test_a_run_may_end_in_its_warm_up():
    found = rates([0, 4], Cosine(), total_steps=5, warmup_epochs=1)
    assert found == pytest.approx([0.08, 0.4])


def test_an_exponential_rate_falls_a_little_in_each_step():
    options = Exponential(learning_rate_decay_factor=0.5, num_epochs_per_decay=2.0)
    found = rates([0, 10, 20, 99, 200], options)
    assert found == pytest.approx([0.8, 0.8 * 0.5**0.5, 0.4, 0.8 * 0.5**4.95, 0.8 * 0.5**10])


def test_a_staircase_falls_at_once():
    options = Exponential(0.5, 2.0, learning_rate_staircase=True)
    found = rates([0, 19, 20, 39, 40, 99, 200], options)
    assert found == pytest.approx([0.8, 0.8, 0.4, 0.4, 0.2, 0.05, 0.8 / 1024])


def test_a_stair_is_not_late_where_rounding_leaves_the_quotient_too_small():
    assert np.float32(243) / np.float32(8.1) < 30
    options = Exponential(0.5, 1.0, learning_rate_staircase=True)
    found = rates([242, 243], options, steps_per_epoch=8.1)
    assert found == pytest.approx([0.8 * 0.5**29, 0.8 * 0.5**30])


def test_an_exponential_rate_over_the_whole_run_has_one_factor_at_its_end():
    options = Exponential(learning_rate_decay_factor=0.25, num_epochs_per_decay=None)
    found = rates([0, 50, 100], options)
    assert found == pytest.approx([0.8, 0.4, 0.2])


def test_an_exponential_rate_counts_from_the_end_of_the_warm_up():
    options = Exponential(learning_rate_decay_factor=0.5, num_epochs_per_decay=2.0)
    found = rates([0, 19, 20, 30, 40, 99], options, warmup_epochs=2)
    half = math.sqrt(0.5)
    assert found == pytest.approx([0.04, 0.8, 0.8, 0.8 * half, 0.4, 0.8 * 0.5 ** (79 / 20)])


def test_a_polynomial_rate_falls_in_a_line_to_the_end_of_the_run_and_stays():
    options = Polynomial(end_learning_rate=0.2)
    found = rates([0, 50, 99, 100, 500], options)
    assert found == pytest.approx([0.8, 0.5, 0.206, 0.2, 0.2])


def test_a_polynomial_rate_follows_its_power_within_its_span():
    options = Polynomial(5.0, 0.2, polynomial_decay_power=2.0)
    found = rates([0, 25, 50, 99], options)
    assert found == pytest.approx([0.8, 0.2 + 0.6 * 0.25, 0.2, 0.2])


def test_a_polynomial_rate_after_a_warm_up_still_ends_with_the_run():
    found = rates([0, 19, 20, 60, 100], Polynomial(), warmup_epochs=2)
    assert found == pytest.approx([0.04, 0.8, 0.8, 0.4, 0.0], abs=1e-7)


def test_a_cosine_rate_falls_along_half_a_period():
    found = rates([0, 25, 50, 75, 100, 300], Cosine(end_learning_rate=0.2))
    slow = 0.3 * (1 + math.sqrt(0.5))
    assert found == pytest.approx([0.8, 0.2 + slow, 0.5, 0.8 - slow, 0.2, 0.2])


def test_a_cosine_rate_after_a_warm_up_still_ends_with_the_run():
    found = rates([10, 20, 60, 100], Cosine(), warmup_epochs=2)
    assert found == pytest.approx([0.8 * 11 / 20, 0.8, 0.4, 0.0], abs=1e-7)


def test_a_cosine_rate_may_end_before_the_run():
    found = rates([20, 40, 99], Cosine(num_epochs_per_decay=4.0))
    assert found == pytest.approx([0.4, 0.0, 0.0], abs=1e-7)


def test_a_piecewise_rate_changes_at_the_first_step_of_an_epoch():
    options = Piecewise((3.0, 6.0), (0.08, 0.008))
    found = rates([0, 29, 30, 59, 60, 99, 1000], options)
    assert found == pytest.approx([0.8, 0.8, 0.08, 0.08, 0.008, 0.008, 0.008])


def test_a_boundary_within_a_step_takes_effect_after_it():
    # 1.5 epochs of 7 steps are 10.5 steps.
    found = rates([10, 11], Piecewise((1.5,), (0.08,)), steps_per_epoch=7.0)
    assert found == pytest.approx([0.8, 0.08])


def test_a_boundary_that_rounding_leaves_above_a_step_is_still_that_step():
    # 7 images in batches of 3.
    assert 27 * (7 / 3) > 63
    found = rates([62, 63], Piecewise((27.0,), (0.08,)), steps_per_epoch=7 / 3)
    assert found == pytest.approx([0.8, 0.08])


def test_piecewise_boundaries_count_from_the_start_of_the_run():
    options = Piecewise((1.0, 3.0), (0.4, 0.04))
    found = rates([0, 9, 10, 19, 29, 30], options, warmup_epochs=2)
    assert found == pytest.approx([0.8 / 20, 0.8 * 10 / 20, 0.4 * 11 / 20, 0.4, 0.4, 0.04])


@pytest.mark.parametrize('name', [name for name in SCHEDULES if name != 'piecewise'])
def test_every_schedule_is_right_as_it_comes(name):
    SCHEDULES[name]().check(1e-4)


def test_rising_boundaries_with_a_value_each_are_right():
    Piecewise((3, 6), (0.01, 0.5)).check(0.1)


@pytest.mark.parametrize('schedule', [Polynomial, Cosine])
@pytest.mark.parametrize('end', [0.1, 0.2])
def test_a_rate_that_would_not_fall_is_refused(schedule, end):
    with pytest.raises(ConfigError) as error:
        schedule(end_learning_rate=end).check(0.1)
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
        Piecewise(boundaries, values).check(0.1)
    assert str(error.value) == message
    assert error.value.exit_code == 2
