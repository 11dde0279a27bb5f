"""An optimizer's name and options to a tf.compat.v1.train.Optimizer."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from library.config.fields import Options

train = tf.compat.v1.train


def make_optimizer(
    name: str, learning_rate: float | tf.Tensor, options: Options
) -> tf.compat.v1.train.Optimizer:
    """The optimizer of this name, with its own parameters.

    Args:
      name: a key of OPTIMIZERS.
      learning_rate: a number or a scalar of the graph, never a variable: a checkpoint would bring
        back the old rate when a run goes on with a new one.
      options: an instance of the class that OPTIMIZERS holds under the name.

    Raises:
      ValueError: there is no such optimizer.
    """
    if name not in _MAKERS:
        raise ValueError(f'there is no optimizer {name!r}')
    return _MAKERS[name](learning_rate, options)


class AdamWOptimizer(tf.compat.v1.train.AdamOptimizer):
    """Adam with weight decay beside the gradient step, and not in the gradient.

    Each step takes learning_rate * weight_decay of a kernel off it, then Adam's own step follows
    (Loshchilov and Hutter 2017, arXiv:1711.05101, algorithm 2, with the decay times the learning
    rate as most frameworks have it). Biases and scales, which have one axis, do not decay.
    """

    def __init__(self, learning_rate: float | tf.Tensor, weight_decay: float, **adam: float):
        """Makes the optimizer.

        Args:
          learning_rate: a number or a scalar of the graph.
          weight_decay: share of a kernel that a step takes off, times the learning rate.
          **adam: beta1, beta2 and epsilon of tf.compat.v1.train.AdamOptimizer.
        """
        super().__init__(learning_rate, name='AdamW', **adam)
        self._weight_decay = weight_decay

    # These two, not apply_gradients: under a tf.distribute strategy they get each replica's own
    # variable.
    def _resource_apply_dense(self, grad: tf.Tensor, var: tf.Variable) -> tf.Operation:
        with tf.control_dependencies(self._decay(var, grad)):
            return super()._resource_apply_dense(grad, var)

    def _resource_apply_sparse(
        self, grad: tf.Tensor, var: tf.Variable, indices: tf.Tensor
    ) -> tf.Operation:
        with tf.control_dependencies(self._decay(var, grad)):
            return super()._resource_apply_sparse(grad, var, indices)

    def _decay(self, variable: tf.Variable, gradient: tf.Tensor) -> list[tf.Operation]:
        if variable.shape.rank < 2:
            return []
        share = tf.cast(self._lr_t, variable.dtype.base_dtype) * self._weight_decay
        # Else the step's own loss might be that of decayed weights: once there is a gradient, what
        # it follows from has been read.
        with tf.control_dependencies([gradient]):
            return [variable.assign_sub(share * variable.read_value(), read_value=False)]


def _adam(options: Any) -> dict[str, float]:
    return {
        'beta1': options.adam_beta1,
        'beta2': options.adam_beta2,
        'epsilon': options.adam_epsilon,
    }


_MAKERS = {
    'adadelta': lambda rate, options: train.AdadeltaOptimizer(
        rate, options.adadelta_rho, options.opt_epsilon
    ),
    'adagrad': lambda rate, options: train.AdagradOptimizer(
        rate, options.adagrad_initial_accumulator_value
    ),
    'adam': lambda rate, options: train.AdamOptimizer(rate, **_adam(options)),
    'adamw': lambda rate, options: AdamWOptimizer(rate, options.weight_decay, **_adam(options)),
    'ftrl': lambda rate, options: train.FtrlOptimizer(
        rate,
        options.ftrl_learning_rate_power,
        options.ftrl_initial_accumulator_value,
        options.ftrl_l1,
        options.ftrl_l2,
    ),
    'momentum': lambda rate, options: train.MomentumOptimizer(rate, options.momentum),
    'nesterov': lambda rate, options: train.MomentumOptimizer(
        rate, options.momentum, use_nesterov=True
    ),
    'rmsprop': lambda rate, options: train.RMSPropOptimizer(
        rate, options.rmsprop_decay, options.rmsprop_momentum, options.opt_epsilon
    ),
    'sgd': lambda rate, options: train.GradientDescentOptimizer(rate),
}
