"""Named numbers of a graph."""

from __future__ import annotations

import pytest
import tensorflow as tf

from library.errors import ConfigError
from library.hooks.watched import find_tensor, note_parameters, noted_parameters, watch, watched


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def summaries():
    with tf.compat.v1.Session() as session:
        merged = session.run(tf.compat.v1.summary.merge_all())
    return {v.tag: v.simple_value for v in tf.compat.v1.Summary.FromString(merged).value}


def test_a_watched_number_is_found_and_drawn_under_its_name():
    watch('losses/l2', tf.constant(3, tf.int32))
    assert list(watched()) == ['losses/l2']
    assert watched()['losses/l2'].dtype == tf.float32
    assert summaries() == {'losses/l2': 3.0}


def test_a_name_stays_as_it_is_in_any_scope_and_beside_any_operation():
    tf.constant(1.0, name='accuracy')
    with tf.name_scope('inside'), tf.compat.v1.variable_scope('deeper'):
        watch('accuracy', tf.constant(0.5))
    assert summaries() == {'accuracy': 0.5}


def test_the_loss_is_the_one_that_the_estimator_added_last():
    for value in (1.0, 2.0):
        tf.compat.v1.losses.add_loss(tf.constant(value))
    with tf.compat.v1.Session() as session:
        assert session.run(watched()) == {'loss': 2.0}


@pytest.mark.parametrize('name', ['loss', 'accuracy'])
def test_a_name_is_given_once(name):
    watch('accuracy', tf.constant(0.5))
    with pytest.raises(ValueError, match=f"'{name}' is watched already"):
        watch(name, tf.constant(0.5))


def test_a_tensor_is_found_by_its_watched_name_or_by_the_graphs():
    accuracy, logits = tf.constant(0.5), tf.constant([1.0], name='logits')
    watch('accuracy', accuracy)
    assert find_tensor('accuracy', 'log_tensors') is watched()['accuracy']
    assert find_tensor('logits', 'log_tensors') is logits
    assert find_tensor('logits:0', 'log_tensors') is logits


@pytest.mark.parametrize('name', ['acuracy', 'a b', 'logits:1', ''])
def test_a_tensor_that_is_not_there_is_one_line_that_lists_what_is(name):
    watch('accuracy', tf.constant(0.5))
    tf.constant([1.0], name='logits')
    with pytest.raises(ConfigError) as error:
        find_tensor(name, 'log_tensors')
    assert str(error.value) == (
        f'--log_tensors {name}: no such tensor in the graph (watched are accuracy)'
    )


def test_parameters_are_kept_in_the_graph():
    assert noted_parameters() == {}
    note_parameters(trained=3, in_all=5)
    assert noted_parameters() == {'trained': 3, 'all': 5}


def test_under_a_strategy_each_name_is_given_once_and_by_the_first_replica():
    devices = tf.config.list_logical_devices('CPU')
    strategy = tf.distribute.MirroredStrategy(
        [devices[0].name], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )
    with strategy.scope():
        strategy.run(lambda: watch('accuracy', tf.constant(0.5)))
    assert summaries() == {'accuracy': 0.5}


def test_other_replicas_are_silent(monkeypatch):
    class Second:
        replica_id_in_sync_group = tf.constant(1)

    monkeypatch.setattr(tf.distribute, 'get_replica_context', Second)
    watch('accuracy', tf.constant(0.5))
    note_parameters(1, 1)
    assert (watched(), noted_parameters()) == ({}, {})


def test_a_graph_with_all_this_can_be_exported(graph, caplog):
    watch('accuracy', tf.constant(0.5))
    note_parameters(1, 1)
    tf.compat.v1.train.export_meta_graph(graph=graph)
    assert caplog.text == ''
