"""Checkpoints that do not fit."""

from __future__ import annotations

import pytest
import tensorflow as tf

from library.errors import MismatchError
from library.hooks.checkpoint_fit import CheckpointFitHook, check_fit


@pytest.fixture
def checkpoint(tmp_path):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.get_variable('head/kernel', [8, 3])
        session.run(tf.compat.v1.global_variables_initializer())
        return tf.compat.v1.train.Saver().save(session, str(tmp_path / 'model.ckpt'))


def shapes(**named):
    return {name.replace('__', '/'): tf.TensorShape(shape) for name, shape in named.items()}


def test_the_same_names_and_shapes_fit(checkpoint):
    check_fit(shapes(head__kernel=[8, 3]), checkpoint)


def test_another_shape_is_named_with_both(checkpoint):
    expected = r'model.ckpt: head/kernel has the shape \[8, 3\] there and \[8, 4\] in this run'
    with pytest.raises(MismatchError, match=expected) as error:
        check_fit(shapes(head__kernel=[8, 4]), checkpoint)
    assert error.value.exit_code == 4


def test_a_missing_variable_is_named(checkpoint):
    with pytest.raises(MismatchError, match='the checkpoint holds no head/bias'):
        check_fit(shapes(head__bias=[3]), checkpoint)


def test_a_file_that_is_no_checkpoint_is_named(tmp_path):
    (tmp_path / 'model.ckpt.index').write_text('')
    with pytest.raises(MismatchError, match=r'model\.ckpt: the checkpoint cannot be read'):
        check_fit({}, str(tmp_path / 'model.ckpt'))


def test_the_hook_speaks_before_anything_is_restored(checkpoint):
    called = []
    with tf.Graph().as_default():
        tf.compat.v1.get_variable('head/kernel', [9, 3])
        with pytest.raises(MismatchError):
            CheckpointFitHook(lambda: checkpoint, lambda: called.append(1)).begin()
    assert called == []


def test_without_a_checkpoint_there_is_nothing_to_check():
    called = []
    with tf.Graph().as_default():
        tf.compat.v1.get_variable('head/kernel', [9, 3])
        CheckpointFitHook(lambda: None, lambda: called.append(1)).begin()
    assert called == [1]
