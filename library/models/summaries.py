"""Tell TensorBoard, and the hooks, about a training graph.

Names are the same in every run, whatever the model, so that curves of runs can be compared.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence

import tensorflow as tf

from library.hooks.watched import add_summary, in_first_replica, note_parameters, watch

IMAGES_SHOWN = 8
# Kernels are often 3 x 3: they are enlarged so that a person can see them.
TILE_PIXELS = 32
GAP_PIXELS = 4


def summarize_training(
    features: Mapping[str, tf.Tensor],
    labels: tf.Tensor,
    predictions: Mapping[str, tf.Tensor],
    *,
    losses: Mapping[str, tf.Tensor],
    learning_rate: tf.Tensor,
    trained: Sequence[tf.Variable],
    histograms: bool,
    kernels: bool,
) -> None:
    """Add the summaries of training: scalars, images, and on demand histograms and kernels.

    Under a strategy they tell of the first replica's share of each batch: 'accuracy' and the parts
    of the loss too. The loss as a whole, which the Estimator adds, is that of the whole batch.
    Call it once the model is built, and before the optimizer adds variables of its own.

    Args:
      features: those of model_fn; images are shown where they are among them.
      labels: int64 [batch].
      predictions: as `classifier.predictions_of` gives them.
      losses: name to scalar, the parts of the loss; shown as losses/NAME.
      learning_rate: scalar.
      trained: the variables that the optimizer changes.
      histograms: show the values of each of them, as variables/NAME.
      kernels: show the first convolution among them as a picture.
    """
    for name, loss in losses.items():
        watch(f'losses/{name}', loss)
    watch('learning_rate', learning_rate)
    hits = tf.cast(tf.equal(labels, predictions['label']), tf.float32)
    watch('accuracy', tf.reduce_mean(hits))
    note_parameters(count_values(trained), count_values(_variables_of_model()))
    if 'image' in features:
        _add_images('images', features['image'], IMAGES_SHOWN)
    if histograms:
        for variable in _unique(trained):
            _add_histogram(f'variables/{_name(variable)}', variable)
    if kernels:
        kernel = first_kernel(trained)
        if kernel is None and in_first_replica():
            logging.getLogger(__name__).warning(
                'warning: --summary_kernels has nothing to show: this run trains no convolution '
                'that looks at an image'
            )
        elif kernel is not None:
            _add_images('kernels', kernel_grid(tf.convert_to_tensor(kernel)), 1)


def first_kernel(variables: Sequence[tf.Variable]) -> tf.Variable | None:
    """Return the first kernel of a convolution over three channels: [height, width, 3, kernels]."""
    for variable in variables:
        if variable.shape.rank == 4 and variable.shape[2] == 3:
            return variable
    return None


def kernel_grid(kernel: tf.Tensor) -> tf.Tensor:
    """Draw the kernels of a first convolution side by side, with the input's channels as colours.

    Each kernel is stretched by itself, its smallest value to 0 and its largest to 255: this shows
    its form, and hides how large it is beside the others. A kernel of equal values is black.

    Args:
      kernel: float [height, width, 3, kernels].

    Returns:
      uint8 [1, rows * (tile + gap) + gap, columns * (tile + gap) + gap, 3]: at most as many rows
      as columns, on black; each value is a square of TILE_PIXELS // max(height, width) pixels, at
      least one.
    """
    height, width, _, count = kernel.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    enlarged = max(1, TILE_PIXELS // max(height, width))
    kernel = tf.cast(kernel, tf.float32)
    low = tf.reduce_min(kernel, [0, 1, 2], keepdims=True)
    high = tf.reduce_max(kernel, [0, 1, 2], keepdims=True)
    stretched = tf.math.divide_no_nan(kernel - low, high - low)
    tiles = tf.transpose(tf.cast(tf.round(255 * stretched), tf.uint8), [3, 0, 1, 2])
    tiles = tf.repeat(tf.repeat(tiles, enlarged, axis=1), enlarged, axis=2)
    gap = GAP_PIXELS
    tiles = tf.pad(tiles, [[0, rows * columns - count], [0, gap], [0, gap], [0, 0]])
    tile_height, tile_width = height * enlarged + gap, width * enlarged + gap
    tiles = tf.reshape(tiles, [rows, columns, tile_height, tile_width, 3])
    tiles = tf.transpose(tiles, [0, 2, 1, 3, 4])
    grid = tf.reshape(tiles, [1, rows * tile_height, columns * tile_width, 3])
    return tf.pad(grid, [[0, 0], [gap, 0], [gap, 0], [0, 0]])


def count_values(variables: Sequence[tf.Variable]) -> int:
    """Return how many numbers the variables hold together, each variable once."""
    return sum(math.prod(variable.shape.as_list()) for variable in _unique(variables))


def _variables_of_model() -> list[tf.Variable]:
    """Return all of the graph so far, those of a frozen module included, which are local."""
    step = tf.compat.v1.train.get_global_step()
    variables = [*tf.compat.v1.global_variables(), *tf.compat.v1.local_variables()]
    # A strategy lists a variable of every replica.
    return [v for v in variables if v is not step and '/replica_' not in v.name]


def _unique(variables: Sequence[tf.Variable]) -> list[tf.Variable]:
    return list({id(variable): variable for variable in variables}.values())


def _name(variable: tf.Variable) -> str:
    return str(variable.name).partition(':')[0]


def _add_images(tag: str, images: tf.Tensor, count: int) -> None:
    add_summary(tf.raw_ops.ImageSummary(tag=tag, tensor=images, max_images=count))


def _add_histogram(tag: str, variable: tf.Variable) -> None:
    values = tf.cast(tf.convert_to_tensor(variable), tf.float32)
    # A histogram of NaN would end the run before the loss could, which says more about it.
    values = tf.where(tf.math.is_finite(values), values, tf.zeros_like(values))
    add_summary(tf.raw_ops.HistogramSummary(tag=tag, values=values))
