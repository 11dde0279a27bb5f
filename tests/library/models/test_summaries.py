"""What TensorBoard is told of a training graph."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from library.hooks.watched import noted_parameters, watched
from library.models.summaries import (
    GAP_PIXELS,
    IMAGES_SHOWN,
    TILE_PIXELS,
    count_values,
    first_kernel,
    kernel_grid,
    summarize_training,
)

NAMES = {'losses/cross_entropy', 'losses/l2', 'learning_rate', 'accuracy'}


def variable(shape, name=None, initial=0.0):
    return tf.compat.v1.get_variable(
        name or f'v{np.random.default_rng().integers(2**60)}',
        initializer=tf.constant(initial, tf.float32, shape),
    )


def summarize(features=None, trained=(), **flags):
    """Tag to value of all that a small graph tells; its loss is 2 + 0.5."""
    summarize_training(
        features or {'features': tf.zeros([4, 2])},
        tf.constant([0, 1, 2, 2], tf.int64),
        {'label': tf.constant([0, 1, 2, 0], tf.int64)},
        losses={'cross_entropy': tf.constant(2.0), 'l2': tf.constant(0.5)},
        learning_rate=tf.constant(0.25),
        trained=trained,
        histograms=flags.get('histograms', False),
        kernels=flags.get('kernels', False),
    )
    with tf.compat.v1.Session() as session:
        session.run(tf.compat.v1.global_variables_initializer())
        merged = session.run(tf.compat.v1.summary.merge_all())
    return {value.tag: value for value in tf.compat.v1.Summary.FromString(merged).value}


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def test_losses_learning_rate_and_accuracy_are_scalars_that_hooks_find_too():
    found = summarize()
    assert {tag: value.simple_value for tag, value in found.items()} == {
        'losses/cross_entropy': 2.0,
        'losses/l2': 0.5,
        'learning_rate': 0.25,
        'accuracy': 0.75,
    }
    assert set(watched()) == NAMES


def test_names_stay_where_a_model_has_taken_them():
    with tf.name_scope('accuracy'), tf.name_scope('kernels'):
        tf.constant(1.0, name='learning_rate')
    tf.constant(1.0, name='images')
    kernel = variable([3, 3, 3, 2], 'kernel')
    with tf.name_scope('tower'):
        found = summarize({'image': tf.zeros([1, 8, 8, 3])}, [kernel], histograms=1, kernels=1)
    assert set(found) == {*NAMES, 'images/image/0', 'variables/kernel', 'kernels/image'}


def test_some_input_images_are_shown_encoding_of():
    images = np.random.default_rng(0).integers(0, 256, [IMAGES_SHOWN + 2, 6, 5, 3]).astype(np.uint8)
    found = summarize({'image': tf.constant(images)})
    shown = [tag for tag in found if tag.startswith('images/')]
    assert sorted(shown) == [f'images/image/{number}' for number in range(IMAGES_SHOWN)]
    png = found['images/image/1'].image.encoded_image_string
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png))), images[1])


def test_a_histogram_of_each_trained_variable_is_made_on_demand():
    trained = [variable([4], 'head/bias', 2.0), variable([2, 3], 'head/kernel', -1.0)]
    variable([1], 'frozen')
    found = summarize(trained=[*trained, trained[0]], histograms=True)
    assert set(found) == {*NAMES, 'variables/head/bias', 'variables/head/kernel'}
    histogram = found['variables/head/bias'].histo
    assert (histogram.num, histogram.min, histogram.sum) == (4, 2.0, 8.0)


def test_values_that_are_not_finite_leave_the_last_word_to_the_loss():
    broken = variable([2], 'broken', float('nan'))
    assert summarize(trained=[broken], histograms=True)['variables/broken'].histo.max == 0


def test_the_first_kernel_is_one_that_looks_at_colours():
    bias, deeper, first, second = (
        variable(shape) for shape in ([3], [3, 3, 16, 32], [5, 5, 3, 8], [3, 3, 3, 4])
    )
    assert first_kernel([bias, deeper, first, second]) is first
    assert first_kernel([bias, deeper]) is None


def test_kernels_are_drawn_on_demand():
    kernel = variable([3, 3, 3, 4], 'stem/kernel', 1.0)
    assert set(summarize(trained=[kernel])) == NAMES


def test_the_picture_of_kernels_goes_to_tensorboard():
    kernel = variable([3, 3, 3, 4], 'stem/kernel', 1.0)
    found = summarize(trained=[kernel], kernels=True)
    assert set(found) == {*NAMES, 'kernels/image'}
    side = 2 * (TILE_PIXELS // 3 * 3 + GAP_PIXELS) + GAP_PIXELS
    assert (found['kernels/image'].image.height, found['kernels/image'].image.width) == (side, side)


def test_a_run_without_such_a_kernel_says_so(caplog):
    assert set(summarize(trained=[variable([4], 'bias')], kernels=True)) == NAMES
    assert caplog.messages == [
        'warning: --summary_kernels has nothing to show: this run trains no convolution that looks '
        'at an image'
    ]


def drawn(kernel):
    with tf.compat.v1.Session() as session:
        return session.run(kernel_grid(tf.constant(kernel, tf.float32)))


def test_each_kernel_is_stretched_by_itself_and_enlarged():
    # Three kernels of 1 x 2 weights: grey to white, the same a hundred times smaller, and equal.
    kernel = np.zeros([1, 2, 3, 3])
    kernel[0, 0, :, 0], kernel[0, 1, :, 0] = [-1, 0, 1], [1, -1, 0]
    kernel[..., 1] = kernel[..., 0] / 100
    kernel[..., 2] = 7
    grid = drawn(kernel)
    width, gap = TILE_PIXELS, GAP_PIXELS
    height = TILE_PIXELS // 2
    assert grid.shape == (1, 2 * (height + gap) + gap, 2 * (width + gap) + gap, 3)
    assert grid.dtype == np.uint8
    first = grid[0, gap : gap + height, gap : gap + width]
    assert (first[:, : width // 2] == [0, 128, 255]).all()
    assert (first[:, width // 2 :] == [255, 0, 128]).all()
    second = grid[0, gap : gap + height, 2 * gap + width : 2 * (gap + width)]
    np.testing.assert_array_equal(second, first)
    rest = grid.copy()
    rest[0, gap : gap + height, gap : gap + width] = 0
    rest[0, gap : gap + height, 2 * gap + width : 2 * (gap + width)] = 0
    assert not rest.any()


def test_large_kernels_keep_their_pixels():
    grid = drawn(np.random.default_rng(0).normal(size=[40, 40, 3, 1]))
    assert grid.shape == (1, 40 + 2 * GAP_PIXELS, 40 + 2 * GAP_PIXELS, 3)


def test_parameters_are_counted_once_and_frozen_ones_too():
    step = tf.compat.v1.train.get_or_create_global_step()
    trained = [variable([2, 3], 'kernel'), variable([3], 'bias')]
    tf.compat.v1.get_variable(
        'frozen', [5], collections=[tf.compat.v1.GraphKeys.LOCAL_VARIABLES], trainable=False
    )
    tf.compat.v1.get_variable('mean', [4], trainable=False)
    tf.compat.v1.get_variable('bias/replica_1', [3])
    summarize(trained=[*trained, trained[0]])
    assert noted_parameters() == {'trained': 9, 'all': 18}
    assert count_values([step]) == 1
