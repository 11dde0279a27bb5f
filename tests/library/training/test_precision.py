"""Mixed precision, as far as a machine without a GPU shows it: the switch and the loss scale."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from library.errors import ConfigError
from library.training.options import PrecisionOptions
from library.training.precision import compute_in_float32, with_precision
from library.training.train_op import make_train_op

pytestmark = pytest.mark.train

train = tf.compat.v1.train


@pytest.fixture
def gpu(monkeypatch):
    """Lets TensorFlow say that there is a GPU."""
    monkeypatch.setattr(tf.config, 'get_visible_devices', lambda kind: [f'a {kind}'])
    yield
    compute_in_float32()


def sessions_compute_in_float16():
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        options = session._config.graph_options.rewrite_options  # what the session was made with
        return options.auto_mixed_precision == options.ON


def test_float32_is_the_optimizer_itself():
    optimizer = train.GradientDescentOptimizer(0.1)
    assert with_precision(optimizer, PrecisionOptions()) is optimizer
    assert not sessions_compute_in_float16()


def test_sessions_compute_in_float16_until_the_next_graph_takes_it_back(gpu):
    with_precision(train.GradientDescentOptimizer(0.1), PrecisionOptions('float16', '8'))
    assert sessions_compute_in_float16()
    compute_in_float32()
    assert not sessions_compute_in_float16()


def test_float16_without_a_gpu_is_refused():
    with pytest.raises(ConfigError) as error:
        with_precision(train.GradientDescentOptimizer(0.1), PrecisionOptions('float16'))
    assert str(error.value) == '--dtype float16: needs a GPU, and none was found'
    assert error.value.exit_code == 2
    assert not sessions_compute_in_float16()


def three_steps(dtype, loss_scale, clip_norm=None):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        weight = tf.compat.v1.get_variable('kernel', initializer=[[3.0], [-2.0]])
        optimizer = with_precision(train.AdamOptimizer(0.1), PrecisionOptions(dtype, loss_scale))
        loss = tf.reduce_sum(tf.square(weight))
        train_op = make_train_op(loss, optimizer, [weight], clip_norm=clip_norm)
        session.run(tf.compat.v1.global_variables_initializer())
        for _ in range(3):
            session.run(train_op)
        return session.run(weight)


@pytest.mark.parametrize('loss_scale', ['128', 'dynamic'])
@pytest.mark.parametrize('clip_norm', [None, 1.0])
def test_a_loss_scale_changes_nothing_in_the_weights(gpu, loss_scale, clip_norm):
    """A power of two is exact; clipping sees gradients that are divided by it."""
    scaled = three_steps('float16', loss_scale, clip_norm)
    np.testing.assert_array_equal(scaled, three_steps('float32', loss_scale, clip_norm))


@pytest.mark.parametrize('clip_norm', [None, 1.0])
def test_a_step_that_is_not_finite_is_left_out_and_halves_a_dynamic_scale(gpu, clip_norm):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        weight = tf.compat.v1.get_variable('kernel', initializer=3.0)
        optimizer = with_precision(
            train.GradientDescentOptimizer(1.0), PrecisionOptions('float16', 'dynamic')
        )
        factor = tf.compat.v1.placeholder(tf.float32, [])
        train_op = make_train_op(
            weight * factor,
            optimizer,
            [weight],
            clip_norm=clip_norm,
            moving_average_decay=0.9,
        )
        by_name = {each.op.name: each for each in tf.compat.v1.global_variables()}
        watched = [
            by_name[n] for n in ('kernel', 'global_step', 'current_loss_scale', 'ema/kernel')
        ]
        session.run(tf.compat.v1.global_variables_initializer())
        session.run(train_op, {factor: np.inf})
        assert session.run(watched) == [3, 0, 2**14, 3]
        session.run(train_op, {factor: 1.0})
        assert session.run(watched) == [2, 1, 2**14, 2]
        assert not {'ema/current_loss_scale', 'ema/good_steps'} & set(by_name)


def test_a_run_in_float16_ends_before_it_trains_where_there_is_no_gpu(launch, tmp_path):
    with pytest.raises(ConfigError, match='--dtype float16'):
        launch(tmp_path, dtype='float16')
    assert not list((tmp_path / 'checkpoints').glob('model.ckpt*'))
