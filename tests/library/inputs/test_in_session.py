"""A chain's elements outside of any training."""

from __future__ import annotations

from itertools import islice

import tensorflow as tf

from library.inputs.in_session import in_session


def test_elements_come_in_order_and_outside_of_their_graph():
    outer = tf.Graph()
    with outer.as_default():
        for number, element in enumerate(islice(in_session(lambda: tf.data.Dataset.range(5)), 3)):
            assert element == number
            assert tf.compat.v1.get_default_graph() is outer


def test_only_what_is_wanted_of_an_element_is_computed():
    pairs = tf.data.Dataset.zip
    chain = in_session(
        lambda: pairs((tf.data.Dataset.range(3), tf.data.Dataset.range(7, 10))),
        lambda first, second: first * second,
    )
    assert list(islice(chain, 3)) == [0, 8, 18]


def test_tables_of_a_chain_are_filled():
    def make():
        keys = tf.lookup.KeyValueTensorInitializer(['a', 'b'], [3, 4])
        table = tf.lookup.StaticHashTable(keys, default_value=-1)
        return tf.data.Dataset.from_tensor_slices(['b', 'x']).map(table.lookup)

    assert list(islice(in_session(make), 2)) == [4, -1]
