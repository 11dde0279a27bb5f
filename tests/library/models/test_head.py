"""The classification head."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from library.models.head import add_head, stateless_dropout
from library.models.model import Model
from library.models.options import ModelOptions


class Identity(Model):
    """Features are the pixels' means."""

    def build(self, images, training):
        return tf.reduce_mean(images, axis=[1, 2])


def build(hidden_units, seed=0):
    model = Identity(ModelOptions(), num_classes=4, random_seed=seed)
    with tf.Graph().as_default() as graph:
        features = tf.ones([2, 3])
        logits = add_head(
            model, features, training=True, dropout_rate=0.5, hidden_units=hidden_units
        )
        with tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.global_variables_initializer())
            weights = session.run(model.variables_to_train)
    return model, graph, logits, weights


def test_the_head_lies_under_its_own_scope_and_is_all_that_is_trained():
    model, graph, logits, _ = build(hidden_units=0)
    names = [variable.op.name for variable in model.variables_to_train]
    assert names == ['head/logits/kernel', 'head/logits/bias']
    assert logits.shape.as_list() == [2, 4]
    assert [kernel.op.name for kernel in model.kernels] == ['head/logits/kernel']
    del graph


def test_a_hidden_layer_is_added_on_request():
    model, _, _, _ = build(hidden_units=7)
    shapes = {v.op.name: v.shape.as_list() for v in model.variables_to_train}
    assert shapes['head/hidden/kernel'] == [3, 7]
    assert shapes['head/logits/kernel'] == [7, 4]


def test_the_seed_decides_the_first_weights():
    first, again, other = (build(0, seed)[3][0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_dropout_follows_from_seed_and_step():
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        step = tf.compat.v1.train.get_or_create_global_step()
        dropped = stateless_dropout(tf.ones([1, 1000]), 0.5, training=True, seed=1, salt=0)
        session.run(tf.compat.v1.global_variables_initializer())
        first, again = session.run(dropped), session.run(dropped)
        session.run(step.assign_add(1))
        later = session.run(dropped)
    np.testing.assert_array_equal(first, again)
    assert (first != later).any()
    assert 400 < np.count_nonzero(first) < 600
    assert set(np.unique(first)) == {0.0, 2.0}


class Replica:
    """One of two that share a batch."""

    num_replicas_in_sync = 2

    def __init__(self, number):
        self.replica_id_in_sync_group = number


def test_replicas_share_the_mask_that_one_device_would_draw(monkeypatch):
    features = np.random.default_rng(0).normal(size=[6, 50]).astype(np.float32)

    def dropped(rows):
        tf.compat.v1.train.get_or_create_global_step()
        return stateless_dropout(tf.constant(rows), 0.3, training=True, seed=1, salt=0)

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        whole = dropped(features)
        parts = []
        for number, rows in enumerate((features[:3], features[3:])):
            monkeypatch.setattr(tf.distribute, 'get_replica_context', lambda n=number: Replica(n))
            parts.append(dropped(rows))
        session.run(tf.compat.v1.global_variables_initializer())
        expected, shares = session.run((whole, parts))
    np.testing.assert_array_equal(np.concatenate(shares), expected)
    assert (expected[:3] == 0).tolist() != (expected[3:] == 0).tolist()


def test_on_one_device_the_mask_is_that_of_tensorflow():
    features = np.random.default_rng(0).normal(size=[6, 50]).astype(np.float32)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        key = tf.constant([1002, 0], tf.int64)
        expected = tf.nn.experimental.stateless_dropout(features, 0.3, key)
        dropped = stateless_dropout(tf.constant(features), 0.3, True, seed=1, salt=2)
        session.run(tf.compat.v1.global_variables_initializer())
        np.testing.assert_array_equal(*session.run((dropped, expected)))


def test_dropout_is_off_outside_training():
    features = tf.ones([1, 10])
    assert stateless_dropout(features, 0.5, training=False, seed=1, salt=0) is features


def test_a_layer_that_was_never_called_cannot_be_owned():
    model = Identity(ModelOptions(), num_classes=4, random_seed=0)
    with pytest.raises(ValueError, match="the layer 'late' has no variables before it is called"):
        model.own([tf.keras.layers.Dense(3, name='late')])
