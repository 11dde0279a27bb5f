"""Epochs to steps."""

from __future__ import annotations

import pytest

from library.training.epochs import Epochs


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
