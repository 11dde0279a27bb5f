"""Define the optimizers: a class each, and one line in OPTIMIZERS at the end.

Fields are options: flags, and keys of hyperparameters.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass

from etils import epy

from library.config.fields import option
from library.training.optimizer import Optimizer

with epy.lazy_imports():
    import tensorflow as tf


@dataclass(frozen=True)
class Adadelta(Optimizer):
    """Steps from means of squares alone (Zeiler 2012, arXiv:1212.5701)."""

    adadelta_rho: float = option(0.95, 'Decay of the mean of squares.', low=0, below=1)
    opt_epsilon: float = option(1.0, 'Keeps the division finite.', above=0)

    def make(self, learning_rate: float | tf.Tensor) -> tf.compat.v1.train.Optimizer:
        """Make the optimizer; see Optimizer.make."""
        return tf.compat.v1.train.AdadeltaOptimizer(
            learning_rate, self.adadelta_rho, self.opt_epsilon
        )


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Steps over the root of the sum of squares (Duchi et al. 2011, JMLR 12)."""

    adagrad_initial_accumulator_value: float = option(
        0.1, 'What the sum of squares starts from.', above=0
    )

    def make(self, learning_rate: float | tf.Tensor) -> tf.compat.v1.train.Optimizer:
        """Make the optimizer; see Optimizer.make."""
        return tf.compat.v1.train.AdagradOptimizer(
            learning_rate, self.adagrad_initial_accumulator_value
        )


@dataclass(frozen=True)
class Adam(Optimizer):
    """Steps from means of gradients and squares (Kingma and Ba 2014, arXiv:1412.6980)."""

    adam_beta1: float = option(0.9, 'Decay of the mean of gradients.', low=0, below=1)
    adam_beta2: float = option(0.999, 'Decay of the mean of their squares.', low=0, below=1)
    adam_epsilon: float = option(1e-8, 'Keeps the division finite.', above=0)

    def make(self, learning_rate: float | tf.Tensor) -> tf.compat.v1.train.Optimizer:
        """Make the optimizer; see Optimizer.make."""
        return tf.compat.v1.train.AdamOptimizer(
            learning_rate, self.adam_beta1, self.adam_beta2, self.adam_epsilon
        )


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2017, arXiv:1711.05101)."""

    weight_decay: float = option(
        0.01, 'Fraction of each kernel subtracted in a step, times the learning rate.', low=0
    )

    def make(self, learning_rate: float | tf.Tensor) -> tf.compat.v1.train.Optimizer:
        """Make the optimizer; see Optimizer.make."""
        # It derives from one of TensorFlow's classes, which must be imported late.
        from library.training.adamw import AdamWOptimizer

        return AdamWOptimizer(
            learning_rate,
            self.weight_decay,
            beta1=self.adam_beta1,
            beta2=self.adam_beta2,
            epsilon=self.adam_epsilon,
        )


@dataclass(frozen=True)
class Ftrl(Optimizer):
    """FTRL-proximal (McMahan et al. 2013, KDD)."""

    ftrl_learning_rate_power: float = option(
        -0.5, 'How the step size falls with the sum of squares; 0: not at all.', high=0
    )
    ftrl_initial_accumulator_value: float = option(
        0.1, 'What the sum of squares starts from.', low=0
    )
    ftrl_l1: float = option(0.0, 'Strength of the L1 penalty.', low=0)
    ftrl_l2: float = option(0.0, 'Strength of the L2 penalty.', low=0)

    def make(self, learning_rate: float | tf.Tensor) -> tf.compat.v1.train.Optimizer:
        """Make the optimizer; see Optimizer.make."""
        return tf.compat.v1.train.FtrlOptimizer(
            learning_rate,
            self.ftrl_learning_rate_power,
            self.ftrl_initial_accumulator_value,
            self.ftrl_l1,
            self.ftrl_l2,
        )


@dataclass(frozen=True)
class Momentum(Optimizer):
    """Gradient descent that takes a share of each step again."""

    momentum: float = option(0.9, 'Fraction of the last step added to the next.', low=0, below=1)

    def make(self, learning_rate: float | tf.Tensor) -> tf.compat.v1.train.Optimizer:
        """Make the optimizer; see Optimizer.make."""
        return tf.compat.v1.train.MomentumOptimizer(learning_rate, self.momentum)


@dataclass(frozen=True)
class Nesterov(Momentum):
    """Momentum that looks one step ahead."""

    def make(self, learning_rate: float | tf.Tensor) -> tf.compat.v1.train.Optimizer:
        """Make the optimizer; see Optimizer.make."""
        return tf.compat.v1.train.MomentumOptimizer(learning_rate, self.momentum, use_nesterov=True)


@dataclass(frozen=True)
class Rmsprop(Optimizer):
    """Steps over the root of the mean of squares (Tieleman and Hinton 2012)."""

    rmsprop_decay: float = option(0.9, 'Decay of the mean of squares.', low=0, below=1)
    rmsprop_momentum: float = option(
        0.9, 'Fraction of the last step added to the next.', low=0, below=1
    )
    opt_epsilon: float = option(1.0, 'Keeps the division finite.', above=0)

    def make(self, learning_rate: float | tf.Tensor) -> tf.compat.v1.train.Optimizer:
        """Make the optimizer; see Optimizer.make."""
        return tf.compat.v1.train.RMSPropOptimizer(
            learning_rate, self.rmsprop_decay, self.rmsprop_momentum, self.opt_epsilon
        )


@dataclass(frozen=True)
class Sgd(Optimizer):
    """Gradient descent, with nothing beyond the learning rate."""

    def make(self, learning_rate: float | tf.Tensor) -> tf.compat.v1.train.Optimizer:
        """Make the optimizer; see Optimizer.make."""
        return tf.compat.v1.train.GradientDescentOptimizer(learning_rate)


OPTIMIZERS: dict[str, type[Optimizer]] = {
    'adadelta': Adadelta,
    'adagrad': Adagrad,
    'adam': Adam,
    'adamw': AdamW,
    'ftrl': Ftrl,
    'momentum': Momentum,
    'nesterov': Nesterov,
    'rmsprop': Rmsprop,
    'sgd': Sgd,
}
