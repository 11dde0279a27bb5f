"""Add decoupled weight decay to tf.compat.v1.train.AdamOptimizer."""

from __future__ import annotations

import tensorflow as tf


class AdamWOptimizer(tf.compat.v1.train.AdamOptimizer):
    """Adam with weight decay beside the gradient step, and not in the gradient.

    Each step takes learning_rate * weight_decay of a kernel off it, then Adam's own step follows
    (Loshchilov and Hutter 2017, arXiv:1711.05101, algorithm 2, with the decay times the learning
    rate as most frameworks have it). Biases and scales, which have one axis, do not decay.
    """

    def __init__(self, learning_rate: float | tf.Tensor, weight_decay: float, **adam: float):
        """Make the optimizer.

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
        # Once there is a gradient, what it follows from has been read: otherwise the step's own
        # loss might be that of decayed weights.
        with tf.control_dependencies([gradient]):
            return [variable.assign_sub(share * variable.read_value(), read_value=False)]
