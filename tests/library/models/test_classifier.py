"""Predictions and metrics."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from library.models.classifier import (
    evaluation_metrics,
    example_losses,
    predictions_of,
)

LOGITS = tf.constant([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
LABELS = tf.constant([0, 2], tf.int64)


def test_probabilities_sum_to_one_and_the_label_is_the_most_probable():
    predictions = predictions_of(LOGITS)
    np.testing.assert_allclose(np.sum(predictions['probabilities'], axis=1), [1, 1], rtol=1e-6)
    assert predictions['label'].numpy().tolist() == [0, 1]


def test_the_loss_of_an_example_is_the_negative_log_of_the_true_probability():
    expected = [-np.log(np.exp(2) / (np.exp(2) + 2)), -np.log(1 / (np.e + 2))]
    np.testing.assert_allclose(example_losses(LOGITS, LABELS), expected, rtol=1e-6)


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
