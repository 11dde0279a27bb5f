"""Epochs to steps."""

from __future__ import annotations

import pytest

from library.training.epochs import Epochs
from library.training.options import LengthOptions

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ('examples', 'batch_size', 'epochs', 'steps'),
    [(100, 10, 3, 30), (101, 10, 1, 11), (101, 10, 10, 101), (5, 32, 1, 1), (5, 32, 13, 3)],
)
def test_steps_are_rounded_up_over_all_epochs_together(examples, batch_size, epochs, steps):
    assert Epochs(examples, batch_size).steps(epochs) == steps


@pytest.mark.parametrize(('examples', 'batch_size'), [(100, 10), (101, 10), (1437, 32), (7, 16)])
def test_every_epoch_ends_at_one_step(examples, batch_size):
    epochs = Epochs(examples, batch_size)
    ends = [step for step in range(1, epochs.steps(20) + 1) if epochs.ends_at(step, 1)]
    assert ends == sorted({epochs.steps(epoch) for epoch in range(1, 21)})


def test_several_epochs_end_at_the_last_ones_step():
    epochs = Epochs(101, 10)
    ends = [step for step in range(1, 102) if epochs.ends_at(step, 5)]
    assert ends == [epochs.steps(5), epochs.steps(10)]


@pytest.mark.parametrize(
    ('examples', 'batch_size', 'expected'), [(100, 10, 10.0), (101, 10, 10.1), (5, 32, 0.15625)]
)
def test_an_epoch_need_not_end_with_a_step(examples, batch_size, expected):
    assert Epochs(examples, batch_size).steps_per_epoch == pytest.approx(expected)


@pytest.mark.parametrize(
    ('length', 'expected'),
    [
        ({'train_epochs': 3}, 31),
        ({'train_epochs': 3, 'train_steps': 7}, 7),
        ({'train_epochs': 3, 'train_steps': 70}, 70),
        ({'train_epochs': 3, 'max_train_steps': 20}, 20),
        ({'train_epochs': 3, 'max_train_steps': 50}, 31),
        ({'train_epochs': 3, 'train_steps': 70, 'max_train_steps': 50}, 50),
    ],
)
def test_a_run_ends_after_its_steps_or_else_its_epochs_and_never_later_than_allowed(
    length, expected
):
    assert Epochs(101, 10).total_steps(LengthOptions(**length)) == expected
