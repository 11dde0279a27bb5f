"""Measurements to a table."""

from __future__ import annotations

import pytest

from benchmarks.rates import Measurement, format_table, measure_in_turns, measured, to_rows

pytestmark = pytest.mark.unit


def measurements(*rates):
    return [Measurement(100, 100 / rate, 0.2) for rate in rates]


def test_everything_is_measured_once_before_anything_is_measured_twice():
    order = []

    def call(name):
        order.append(name)
        return Measurement(1, 1.0)

    found = measure_in_turns({'a': lambda: call('a'), 'b': lambda: call('b')}, rounds=2)
    assert order == ['a', 'b', 'a', 'b']
    assert [len(each) for each in found.values()] == [2, 2]


def test_ratios_are_taken_within_a_round_and_rows_hold_medians():
    # The machine is half as fast in the last round.
    rows = to_rows({'base': measurements(200, 210, 100), 'own': measurements(100, 126, 40)}, 'base')
    own = rows[1]
    assert [row.name for row in rows] == ['base', 'own']
    assert own.rate == pytest.approx(100)
    assert (own.lowest, own.ratio, own.highest) == pytest.approx((0.4, 0.5, 0.6))
    assert own.cpu_ms == pytest.approx(2.0)


def test_a_row_can_be_held_against_several_times_the_reference():
    rows = to_rows({'base': measurements(100), 'own': measurements(180)}, 'base', {'own': 2})
    assert rows[1].ratio == pytest.approx(0.9)


def test_a_measurement_holds_the_time_of_its_block():
    with measured(5) as measurement:
        sum(range(1000))
    assert measurement.images == 5
    assert measurement.seconds > 0
    assert measurement.rate > 0


def test_the_table_has_a_line_for_each_row_and_processor_times_on_demand():
    rows = to_rows({'base': measurements(2000), 'own': measurements(1000)}, 'base')
    heading, first, second = format_table(rows, 'base').splitlines()
    assert 'of base' in heading
    assert 'CPU' not in heading
    assert first.split() == ['base', '2,000', '1.00', '(1.00', 'to', '1.00)']
    assert second.split() == ['own', '1,000', '0.50', '(0.50', 'to', '0.50)']
    heading, first, _ = format_table(rows, 'base', with_cpu=True).splitlines()
    assert 'CPU ms/image' in heading
    assert first.split()[2] == '2.000'
