"""Names and options to optimizers."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from library.config.fields import Options
from library.training.optimizers import make_optimizer
from library.training.options import OPTIMIZERS, AdamOptions


def test_adam_takes_its_own_parameters():
    """Two steps of Adam by hand (algorithm 1 of the paper) on the gradients 1 and 3."""
    rate, beta1, beta2, epsilon = 0.1, 0.8, 0.9, 1e-3
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        weight = tf.Variable(1.0)
        gradient = tf.compat.v1.placeholder(tf.float32, [])
        optimizer = make_optimizer(rate, AdamOptions(beta1, beta2, epsilon))
        step = optimizer.apply_gradients([(gradient, weight)])
        session.run(tf.compat.v1.global_variables_initializer())
        for value in (1.0, 3.0):
            session.run(step, {gradient: value})
        result = session.run(weight)
    expected, mean, square = 1.0, 0.0, 0.0
    for time, value in enumerate((1.0, 3.0), start=1):
        mean = beta1 * mean + (1 - beta1) * value
        square = beta2 * square + (1 - beta2) * value**2
        size = rate * np.sqrt(1 - beta2**time) / (1 - beta1**time)
        expected -= size * mean / (np.sqrt(square) + epsilon)
    assert result == pytest.approx(expected, rel=1e-5)


def test_every_optimizer_that_can_be_chosen_can_be_made():
    for options in OPTIMIZERS.values():
        assert isinstance(make_optimizer(0.1, options()), tf.compat.v1.train.Optimizer)


def test_options_of_no_optimizer_are_refused():
    class Other(Options, group='training', home='nowhere'):
        pass

    with pytest.raises(TypeError, match='no optimizer takes Other'):
        make_optimizer(0.1, Other.__new__(Other))
