"""Each optimizer against its formula worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from project.optimizers import (
    OPTIMIZERS,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    Ftrl,
    Momentum,
    Nesterov,
    Rmsprop,
    Sgd,
)

RATE = 0.1
GRADIENTS = (1.0, 3.0)


def weights_after(optimizer, gradients=GRADIENTS, start=1.0, steps_of=None):
    """The weight after each of these gradients, which are given by hand."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        weight = tf.Variable(start)
        gradient = tf.compat.v1.placeholder(tf.float32, weight.shape)
        given = steps_of(gradient) if steps_of else gradient
        step = optimizer.make(RATE).apply_gradients([(given, weight)])
        session.run(tf.compat.v1.global_variables_initializer())
        results = []
        for value in gradients:
            session.run(step, {gradient: value})
            results.append(session.run(weight))
    return results


def adam_by_hand(beta1, beta2, epsilon, decay=0.0, start=1.0):
    """Algorithm 1 of the paper, with the epsilon of the end of its section 2."""
    weight, mean, square, results = start, 0.0, 0.0, []
    for time, value in enumerate(GRADIENTS, start=1):
        mean = beta1 * mean + (1 - beta1) * value
        square = beta2 * square + (1 - beta2) * value**2
        size = RATE * np.sqrt(1 - beta2**time) / (1 - beta1**time)
        weight = weight - RATE * decay * weight - size * mean / (np.sqrt(square) + epsilon)
        results.append(weight)
    return results


def test_sgd_takes_the_rate_times_the_gradient():
    assert weights_after(Sgd()) == pytest.approx([1 - 0.1, 1 - 0.1 - 0.3])


def test_momentum_takes_a_share_of_the_last_step_again():
    # Velocities 1 and 0.8 * 1 + 3 = 3.8.
    expected = [1 - 0.1, 1 - 0.1 - 0.38]
    assert weights_after(Momentum(0.8)) == pytest.approx(expected)


def test_nesterov_looks_one_step_ahead():
    # gradient + 0.8 * velocity: 1 + 0.8 * 1 = 1.8, then 3 + 0.8 * 3.8 = 6.04.
    expected = [1 - 0.18, 1 - 0.18 - 0.604]
    assert weights_after(Nesterov(0.8)) == pytest.approx(expected)


def test_adagrad_divides_by_the_root_of_the_sum_of_squares():
    # Sums 0.25 + 1 = 1.25 and 1.25 + 9 = 10.25.
    first = 1 - 0.1 / np.sqrt(1.25)
    expected = [first, first - 0.3 / np.sqrt(10.25)]
    assert weights_after(Adagrad(0.25)) == pytest.approx(expected)


def test_adadelta_divides_means_of_squares_of_steps_and_gradients():
    rho, epsilon = 0.8, 0.01
    weight, square, moved, expected = 1.0, 0.0, 0.0, []
    for value in GRADIENTS:
        square = rho * square + (1 - rho) * value**2
        step = np.sqrt(moved + epsilon) / np.sqrt(square + epsilon) * value
        moved = rho * moved + (1 - rho) * step**2
        weight -= RATE * step
        expected.append(weight)
    assert weights_after(Adadelta(rho, epsilon)) == pytest.approx(expected)


def test_rmsprop_divides_by_the_root_of_the_mean_of_squares_and_has_momentum():
    decay, momentum, epsilon = 0.8, 0.5, 0.01
    # The mean of squares starts at 1 in TensorFlow, not at 0.
    weight, square, velocity, expected = 1.0, 1.0, 0.0, []
    for value in GRADIENTS:
        square = decay * square + (1 - decay) * value**2
        velocity = momentum * velocity + RATE * value / np.sqrt(square + epsilon)
        weight -= velocity
        expected.append(weight)
    options = Rmsprop(decay, momentum, epsilon)
    assert weights_after(options) == pytest.approx(expected)


@pytest.mark.parametrize(
    ('power', 'initial', 'l1', 'l2'), [(-0.5, 0.25, 0.0, 0.0), (-0.4, 0.5, 0.3, 0.2)]
)
def test_ftrl_solves_for_the_weight_under_l1_and_l2(power, initial, l1, l2):
    weight, total, linear, expected = 1.0, initial, 0.0, []
    for value in GRADIENTS:
        grown = total + value**2
        linear += value - (grown**-power - total**-power) / RATE * weight
        quadratic = grown**-power / RATE + 2 * l2
        weight = (np.sign(linear) * l1 - linear) / quadratic if abs(linear) > l1 else 0.0
        total = grown
        expected.append(weight)
    options = Ftrl(power, initial, l1, l2)
    assert weights_after(options) == pytest.approx(expected, rel=1e-4)


def test_adam_takes_its_own_parameters():
    expected = adam_by_hand(0.8, 0.9, 1e-3)
    assert weights_after(Adam(0.8, 0.9, 1e-3)) == pytest.approx(expected, rel=1e-5)


def test_adamw_takes_a_share_of_a_kernel_off_in_each_step():
    options = AdamW(0.8, 0.9, 1e-3, 0.5)
    kernel = weights_after(options, [[[1.0]], [[3.0]]], [[2.0]])
    expected = adam_by_hand(0.8, 0.9, 1e-3, decay=0.5, start=2.0)
    np.testing.assert_allclose(np.ravel(kernel), expected, rtol=1e-5)


def test_adamw_lets_biases_alone():
    options = AdamW(0.8, 0.9, 1e-3, 0.5)
    bias = weights_after(options, [[1.0], [3.0]], [2.0])
    np.testing.assert_allclose(np.ravel(bias), adam_by_hand(0.8, 0.9, 1e-3, start=2.0), rtol=1e-5)


def test_adamw_without_decay_is_adam():
    start, gradients = np.eye(3, dtype=np.float32), [np.full((3, 3), g) for g in GRADIENTS]
    plain = weights_after(Adam(0.8, 0.9), gradients, start)
    decayed = weights_after(AdamW(0.8, 0.9, weight_decay=0.0), gradients, start)
    np.testing.assert_array_equal(plain, decayed)


def test_adamw_decays_all_rows_of_a_kernel_with_a_sparse_gradient():
    def sparse(gradient):
        return tf.IndexedSlices(gradient[:1], tf.constant([0]), tf.constant([2, 1]))

    options = AdamW(0.8, 0.9, 1e-3, 0.5)
    given = [[[value], [0.0]] for value in GRADIENTS]
    kernel = weights_after(options, given, [[2.0], [4.0]], sparse)
    touched = adam_by_hand(0.8, 0.9, 1e-3, decay=0.5, start=2.0)
    np.testing.assert_allclose(np.array(kernel)[:, 0, 0], touched, rtol=1e-5)
    np.testing.assert_allclose(np.array(kernel)[:, 1, 0], [4 * 0.95, 4 * 0.95**2], rtol=1e-5)


def test_the_loss_of_a_step_with_adamw_is_that_of_the_weights_before_it():
    options = AdamW(0.8, 0.9, 1e-3, weight_decay=5.0)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        kernel = tf.Variable([[2.0]])
        # As it is where images have to be decoded first.
        with tf.control_dependencies([tf.linalg.inv(tf.random.uniform([500, 500]))]):
            read = kernel.read_value()
        loss = tf.reduce_sum(tf.square(read))
        step = options.make(RATE).minimize(loss, var_list=[kernel])
        session.run(tf.compat.v1.global_variables_initializer())
        assert session.run((loss, step))[0] == 4.0
        assert session.run(kernel) < 1.0


@pytest.mark.parametrize('name', OPTIMIZERS)
def test_every_optimizer_that_can_be_chosen_comes_nearer_to_a_minimum(name):
    options = OPTIMIZERS[name]()
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        weight = tf.Variable([[3.0, -2.0]])
        loss = tf.reduce_sum(tf.square(weight - 1.0))
        step = options.make(RATE).minimize(loss, var_list=[weight])
        session.run(tf.compat.v1.global_variables_initializer())
        before = session.run(loss)
        for _ in range(20):
            session.run(step)
        assert session.run(loss) < 0.95 * before
