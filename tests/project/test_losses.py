"""What is minimized."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from project.losses import LossOptions, cross_entropy, training_losses

LOGITS = tf.constant([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
LABELS = tf.constant([0, 2], tf.int64)


def test_cross_entropy_is_the_negative_log_of_the_true_probability():
    expected = [-np.log(np.exp(2) / (np.exp(2) + 2)), -np.log(1 / (np.e + 2))]
    np.testing.assert_allclose(cross_entropy(LOGITS, LABELS), expected, rtol=1e-6)


def test_smoothing_spreads_a_share_of_the_label_over_all_classes():
    log_p = np.log(np.exp([2, 0, 0]) / (np.exp(2) + 2))
    expected = -(0.9 * log_p[0] + 0.1 * log_p.mean())
    np.testing.assert_allclose(cross_entropy(LOGITS, LABELS, 0.1)[0], expected, rtol=1e-6)


def parts(**changed):
    given = {'weights': None, 'kernels': [], 'other_losses': []} | changed
    options = LossOptions(given.pop('smoothing', 0.0), given.pop('l2', 0.0))
    return training_losses(LOGITS, LABELS, options, **given)


def test_the_training_loss_adds_l2_and_the_models_own_losses():
    kernel = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    plain = float(tf.reduce_mean(cross_entropy(LOGITS, LABELS)))
    losses = parts(l2=0.1, kernels=[kernel], other_losses=[tf.constant(5.0), tf.constant(2.0)])
    assert {name: float(loss) for name, loss in losses.items()} == {
        'cross_entropy': pytest.approx(plain),
        'l2': pytest.approx(0.1 * 30 / 2),
        'module_regularization': 7.0,
    }


def test_a_loss_without_penalties_has_one_part():
    assert list(parts(kernels=[tf.Variable([[1.0]])])) == ['cross_entropy']
    assert list(parts(l2=0.1)) == ['cross_entropy']


def test_a_class_counts_by_its_weight_and_the_mean_is_over_the_batch():
    first, second = cross_entropy(LOGITS, LABELS, 0.1).numpy()
    losses = parts(smoothing=0.1, weights=[0.5, 7.0, 3.0])
    # Not divided by 0.5 + 3, the weights' sum.
    assert float(losses['cross_entropy']) == pytest.approx((0.5 * first + 3 * second) / 2)
