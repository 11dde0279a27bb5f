"""What an evaluation's graph predicts, kept in order."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from library.errors import ConfigError
from library.hooks.predictions import PredictionsHook, record_predictions

LABELS = np.array([2, 0, 1, 1, 0], np.int64)
PROBABILITIES = np.linspace(0, 1, 15, dtype=np.float32).reshape(5, 3)


def evaluate(hook, batch, count=5):
    """Runs a graph that predicts `count` images, `batch` at a time, under the hook."""
    with tf.Graph().as_default():
        tf.compat.v1.train.create_global_step()
        data = tf.data.Dataset.from_tensor_slices((LABELS[:count], PROBABILITIES[:count]))
        iterator = tf.compat.v1.data.make_initializable_iterator(data.batch(batch))
        labels, probabilities = iterator.get_next()
        tf.compat.v1.add_to_collection(
            tf.compat.v1.GraphKeys.TABLE_INITIALIZERS, iterator.initializer
        )
        record_predictions(labels, probabilities)
        work = tf.reduce_sum(probabilities)
        with tf.compat.v1.train.SingularMonitoredSession(hooks=[hook]) as session:
            for _ in range(-(-count // batch)):
                session.run(work)


@pytest.mark.parametrize('batch', [1, 2, 5, 9])
def test_predictions_of_all_batches_are_kept_in_order_the_short_last_one_too(batch):
    hook = PredictionsHook()
    evaluate(hook, batch)
    labels, probabilities = hook.take()
    assert labels.dtype == np.int64
    assert probabilities.dtype == np.float32
    np.testing.assert_array_equal(labels, LABELS)
    np.testing.assert_array_equal(probabilities, PROBABILITIES)


def test_predictions_are_handed_over_once():
    hook = PredictionsHook()
    evaluate(hook, 2)
    hook.take()
    assert [len(each) for each in hook.take()] == [0, 0]


def test_another_evaluation_does_not_add_to_the_one_before():
    hook = PredictionsHook()
    evaluate(hook, 2)
    evaluate(hook, 2, count=3)
    np.testing.assert_array_equal(hook.take()[0], LABELS[:3])


def test_a_graph_that_records_no_predictions_is_refused():
    with tf.Graph().as_default(), pytest.raises(ConfigError, match='call record_predictions'):
        PredictionsHook().begin()
