"""What each step sends, from the sizes of the trained variables."""

from __future__ import annotations

import pytest

from benchmarks.communication import PUBLISHED, Trained, communication_table, head

pytestmark = pytest.mark.unit

MODEL = Trained('model', numbers=1_000_000, statistics=10_000)


@pytest.mark.parametrize(
    ('replicas', 'times'), [(1, 0), (2, 1), (4, 1.5), (8, 1.75), (64, 1.96875)]
)
def test_in_a_ring_each_replica_sends_each_part_twice_but_its_own(replicas, times):
    assert MODEL.all_reduce_bytes(replicas) == pytest.approx(times * 4_000_000)


def test_a_worker_fetches_all_variables_and_sends_all_gradients():
    assert MODEL.parameter_server_bytes() == 2 * 4_000_000 + 2 * 40_000


def test_a_frozen_module_sends_the_head_alone():
    assert PUBLISHED['head'].numbers == head(1280, classes=1000) == 1280 * 1000 + 1000
    assert PUBLISHED['head'].size == 5_124_000


@pytest.mark.parametrize(
    ('name', 'millions'),
    [('efficientnet_lite0', 4.65), ('mobilenet_v2', 3.50), ('resnet50', 25.58)],
)
def test_the_sizes_are_those_that_were_published(name, millions):
    assert PUBLISHED[name].numbers / 1e6 == pytest.approx(millions, abs=0.005)


def test_the_table_has_a_line_for_each_model():
    heading, line = communication_table([MODEL]).splitlines()
    assert heading.split('  ')[-1] == 'parameter servers'
    assert line.split() == ['model', '1,000,000', '4', '4', '7', '7.88', '8.08']
