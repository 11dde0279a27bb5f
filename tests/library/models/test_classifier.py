"""Logits to predictions, loss and metrics."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from library.errors import ConfigError
from library.models.classifier import (
    class_weights,
    cross_entropy,
    evaluation_metrics,
    predictions_of,
    training_losses,
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


def parts(**changed):
    given = {'smoothing': 0.0, 'weights': None, 'l2': 0.0, 'kernels': [], 'other_losses': []}
    return training_losses(LOGITS, LABELS, **given | changed)


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


NAMES = ('blue', 'green', 'red')


def test_without_the_option_there_are_no_weights():
    assert class_weights((), (1, 2, 3), NAMES) is None


def test_balanced_weights_are_those_of_scikit_learn():
    weights = class_weights(('balanced',), (10, 30, 60), NAMES)
    # compute_class_weight('balanced', ...) on 10, 30 and 60 labels.
    assert weights == pytest.approx([100 / 30, 100 / 90, 100 / 180])
    assert np.dot(weights, (10, 30, 60)) == pytest.approx(100)


def test_weights_may_be_given_in_the_order_of_labels():
    assert class_weights(('1', '0', '2.5'), (), NAMES) == [1.0, 0.0, 2.5]


@pytest.mark.parametrize(
    ('given', 'counts', 'message'),
    [
        (('1', '2'), (1, 2, 3), ' 1,2: 2 given, but there are 3 classes (blue, green, red)'),
        (('1', '2', '3', '4'), (), ' 1,2,3,4: 4 given, but there are 3 classes (blue, green, red)'),
        (('1', 'x', '3'), (), ": 'x' is not balanced alone, nor a number for each class"),
        (('balanced',), (4, 0, 3), ' balanced: there are no training images of green'),
        (('balanced',), (), ' balanced: the images of this data set were not counted by class'),
    ],
)
def test_what_are_no_weights_for_these_classes_is_refused(given, counts, message):
    with pytest.raises(ConfigError) as error:
        class_weights(given, counts, NAMES)
    assert str(error.value).startswith(f'--class_weights{message}')
    assert error.value.exit_code == 2


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
