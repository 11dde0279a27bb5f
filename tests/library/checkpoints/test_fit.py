"""Checkpoints that do not fit."""

from __future__ import annotations

import pytest
import tensorflow as tf

from library.checkpoints.fit import CheckpointFitHook, check_fit
from library.checkpoints.scopes import RESTORED
from library.errors import MismatchError


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


def saved(tmp_path, *names):
    """A checkpoint that holds scalars of these names."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name in names:
            tf.compat.v1.get_variable(name, [])
        session.run(tf.compat.v1.global_variables_initializer())
        return tf.compat.v1.train.Saver().save(session, str(tmp_path / 'model.ckpt'))


def scalars(*names):
    return {name: tf.TensorShape([]) for name in names}


WEIGHT = ('head/kernel', 'global_step')
SGD = WEIGHT
ADAM = (*WEIGHT, 'head/kernel/Adam', 'head/kernel/Adam_1', 'beta1_power', 'beta2_power')
MOMENTUM = (*WEIGHT, 'head/kernel/Momentum')
AVERAGED = (*SGD, 'ema/head/kernel')
SCALED = (*SGD, 'current_loss_scale', 'good_steps')
BOTH = ('module/kernel', 'module/kernel/Adam', 'module/kernel/Adam_1')


@pytest.mark.parametrize(
    ('before', 'now', 'message'),
    [
        (
            ADAM,
            SGD,
            'another optimizer made the checkpoint (it keeps Adam, Adam_1, and that of this run '
            'nothing): go on with its --optimizer',
        ),
        (
            SGD,
            MOMENTUM,
            'another optimizer made the checkpoint (it keeps nothing, and that of this run '
            'Momentum): go on with its --optimizer',
        ),
        (
            MOMENTUM,
            ADAM,
            'another optimizer made the checkpoint (it keeps Momentum, and that of this run Adam, '
            'Adam_1): go on with its --optimizer',
        ),
        (
            AVERAGED,
            SGD,
            'the checkpoint holds moving averages, which this run would drop: go on with its '
            '--moving_average_decay',
        ),
        (
            SGD,
            AVERAGED,
            'the checkpoint holds no ema/head/kernel: it was trained without '
            '--moving_average_decay',
        ),
        (
            SGD,
            SCALED,
            'the checkpoint holds no current_loss_scale: it was trained without a dynamic '
            '--loss_scale of --dtype float16; give a number as --loss_scale',
        ),
        (
            SCALED,
            SGD,
            'the checkpoint holds a dynamic loss scale, which this run would drop: go on with '
            '--dtype float16 and --loss_scale dynamic',
        ),
        (
            (*ADAM, 'module/kernel'),
            (*ADAM, *BOTH),
            'the checkpoint holds no module/kernel/Adam: it was trained with other '
            '--trainable_scopes or another --optimizer',
        ),
    ],
)
def test_a_run_that_goes_on_otherwise_is_told_which_flag_it_is(tmp_path, before, now, message):
    checkpoint = saved(tmp_path, *before)
    with pytest.raises(MismatchError) as error:
        check_fit(scalars(*now), checkpoint, training=True)
    assert str(error.value).startswith(f'{checkpoint}: {message}')
    assert 'choose another --model_dir' in str(error.value)
    assert '\n' not in str(error.value)
    assert error.value.exit_code == 4


@pytest.mark.parametrize(
    ('before', 'now'),
    [
        (ADAM, ADAM),
        (AVERAGED, AVERAGED),
        (SCALED, SCALED),
        # What was trained before may be frozen now.
        ((*ADAM, *BOTH), (*ADAM, 'module/kernel')),
    ],
)
def test_a_run_may_go_on_with_less_where_nothing_is_lost(tmp_path, before, now):
    check_fit(scalars(*now), saved(tmp_path, *before), training=True)


@pytest.mark.parametrize('before', [ADAM, AVERAGED, SCALED])
def test_a_graph_that_does_not_train_takes_the_weights_alone(tmp_path, before):
    check_fit(scalars(*SGD), saved(tmp_path, *before))


def test_the_hook_looks_for_what_would_be_lost_where_it_trains(tmp_path):
    checkpoint = saved(tmp_path, *ADAM)
    with tf.Graph().as_default():
        for name in SGD:
            tf.compat.v1.get_variable(name, [])
        CheckpointFitHook(lambda: checkpoint).begin()
        with pytest.raises(MismatchError, match='--optimizer'):
            CheckpointFitHook(lambda: checkpoint, training=True).begin()


def test_a_graph_that_restores_averages_needs_them_in_the_checkpoint(tmp_path):
    with tf.Graph().as_default():
        weight = tf.compat.v1.get_variable('head/kernel', [])
        tf.compat.v1.add_to_collection(RESTORED, {'ema/head/kernel': weight})
        CheckpointFitHook(lambda: saved(tmp_path, *AVERAGED)).begin()
        with pytest.raises(MismatchError, match='without --moving_average_decay'):
            CheckpointFitHook(lambda: saved(tmp_path, *SGD)).begin()


def test_averages_of_a_fine_tuned_module_fit_a_graph_that_restores_them(tmp_path):
    names = ('module/kernel', 'ema/module/kernel')
    check_fit(scalars('ema/module/kernel'), saved(tmp_path, *names))
    with pytest.raises(MismatchError, match='frozen module cannot go on with fine_tuning'):
        check_fit(scalars('ema/module/kernel'), saved(tmp_path, *AVERAGED))
