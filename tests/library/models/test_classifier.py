"""Logits to predictions, loss and metrics."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from library.models.classifier import (
    cross_entropy,
    evaluation_metrics,
    predictions_of,
    training_loss,
)

LOGITS = tf.constant([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
LABELS = tf.constant([0, 2], tf.int64)


def test_probabilities_sum_to_one_and_the_label_is_the_most_probable():
    predictions = predictions_of(LOGITS)
    np.testing.assert_allclose(np.sum(predictions['probabilities'], axis=1), [1, 1], rtol=1e-6)
    assert predictions['label'].numpy().tolist() == [0, 1]


def test_cross_entropy_is_the_negative_log_of_the_true_probability():
    expected = [-np.log(np.exp(2) / (np.exp(2) + 2)), -np.log(1 / (np.e + 2))]
    np.testing.assert_allclose(cross_entropy(LOGITS, LABELS), expected, rtol=1e-6)


def test_smoothing_spreads_a_share_of_the_label_over_all_classes():
    log_p = np.log(np.exp([2, 0, 0]) / (np.exp(2) + 2))
    expected = -(0.9 * log_p[0] + 0.1 * log_p.mean())
    np.testing.assert_allclose(cross_entropy(LOGITS, LABELS, 0.1)[0], expected, rtol=1e-6)


def test_the_training_loss_adds_l2_and_the_models_own_losses():
    kernel = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    plain = float(tf.reduce_mean(cross_entropy(LOGITS, LABELS)))
    loss = training_loss(
        LOGITS, LABELS, smoothing=0.0, l2=0.1, kernels=[kernel], other_losses=[tf.constant(5.0)]
    )
    assert float(loss) == pytest.approx(plain + 0.1 * 30 / 2 + 5)


def test_a_short_last_batch_counts_by_its_examples():
    losses = [[1.0, 1.0, 1.0], [5.0]]
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        fed = tf.compat.v1.placeholder(tf.float32, [None])
        labels = tf.zeros_like(fed, tf.int64)
        metrics = evaluation_metrics(fed, labels, {'label': labels})
        value, update = metrics['average_loss']
        session.run(tf.compat.v1.local_variables_initializer())
        session.run([each.initializer for each in metrics['examples'].variables])
        for batch in losses:
            session.run([update, metrics['examples'].updates], {fed: batch})
        assert session.run(value) == pytest.approx(2.0)  # the mean of batch means would be 3
        assert session.run(metrics['examples'].result()) == 4
