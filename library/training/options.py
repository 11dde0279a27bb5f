"""The options of training: its length, optimizers, schedules, regularization, fine-tuning."""

from __future__ import annotations

from dataclasses import dataclass

from library.config.fields import HYPERPARAMETERS, PROJECT, Options, option


@dataclass(frozen=True)
class LengthOptions(Options, group='base', home=PROJECT):
    """How long a run trains, over all its starts."""

    train_epochs: int = option(
        1000, 'Passes over the training images, over all starts of the run.', unit='epochs', low=1
    )
    train_steps: int | None = option(
        None, 'Steps to train, instead of train_epochs.', unit='steps', low=1
    )
    max_train_steps: int | None = option(
        None, 'Never train longer than this, whatever the other two say.', unit='steps', low=1
    )


@dataclass(frozen=True)
class AdadeltaOptions(Options, group='training', home=HYPERPARAMETERS):
    """Adadelta's own parameters (Zeiler 2012, arXiv:1212.5701)."""

    adadelta_rho: float = option(0.95, 'Decay of the mean of squares.', low=0, below=1)
    opt_epsilon: float = option(1.0, 'Keeps the division finite.', above=0)


@dataclass(frozen=True)
class AdagradOptions(Options, group='training', home=HYPERPARAMETERS):
    """Adagrad's own parameter (Duchi et al. 2011, JMLR 12)."""

    adagrad_initial_accumulator_value: float = option(
        0.1, 'What the sum of squares starts from.', above=0
    )


@dataclass(frozen=True)
class AdamOptions(Options, group='training', home=HYPERPARAMETERS):
    """Adam's own parameters (Kingma and Ba 2014, arXiv:1412.6980)."""

    adam_beta1: float = option(0.9, 'Decay of the mean of gradients.', low=0, below=1)
    adam_beta2: float = option(0.999, 'Decay of the mean of their squares.', low=0, below=1)
    adam_epsilon: float = option(1e-8, 'Keeps the division finite.', above=0)


@dataclass(frozen=True)
class AdamwOptions(AdamOptions):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2017, arXiv:1711.05101)."""

    weight_decay: float = option(
        0.01, 'Share of each kernel that is taken off in a step, times the learning rate.', low=0
    )


@dataclass(frozen=True)
class FtrlOptions(Options, group='training', home=HYPERPARAMETERS):
    """FTRL-proximal's own parameters (McMahan et al. 2013, KDD)."""

    ftrl_learning_rate_power: float = option(
        -0.5, 'How the step size falls with the sum of squares; 0: not at all.', high=0
    )
    ftrl_initial_accumulator_value: float = option(
        0.1, 'What the sum of squares starts from.', low=0
    )
    ftrl_l1: float = option(0.0, 'Strength of the L1 penalty.', low=0)
    ftrl_l2: float = option(0.0, 'Strength of the L2 penalty.', low=0)


@dataclass(frozen=True)
class MomentumOptions(Options, group='training', home=HYPERPARAMETERS):
    """Momentum's own parameter, plain or Nesterov's."""

    momentum: float = option(0.9, 'Share of the last step that is taken again.', low=0, below=1)


@dataclass(frozen=True)
class RmspropOptions(Options, group='training', home=HYPERPARAMETERS):
    """RMSProp's own parameters (Tieleman and Hinton 2012)."""

    rmsprop_decay: float = option(0.9, 'Decay of the mean of squares.', low=0, below=1)
    rmsprop_momentum: float = option(
        0.9, 'Share of the last step that is taken again.', low=0, below=1
    )
    opt_epsilon: float = option(1.0, 'Keeps the division finite.', above=0)


@dataclass(frozen=True)
class SgdOptions(Options, group='training', home=HYPERPARAMETERS):
    """Nothing beyond the learning rate."""


OPTIMIZERS = {
    'adadelta': AdadeltaOptions,
    'adagrad': AdagradOptions,
    'adam': AdamOptions,
    'adamw': AdamwOptions,
    'ftrl': FtrlOptions,
    'momentum': MomentumOptions,
    'nesterov': MomentumOptions,
    'rmsprop': RmspropOptions,
    'sgd': SgdOptions,
}


@dataclass(frozen=True)
class FixedOptions(Options, group='training', home=HYPERPARAMETERS):
    """Nothing: the rate stays as it is."""


@dataclass(frozen=True)
class ExponentialOptions(Options, group='training', home=HYPERPARAMETERS):
    """A rate that is multiplied by a factor every few epochs."""

    learning_rate_decay_factor: float = option(
        0.94, 'What the rate is multiplied by.', above=0, high=1
    )
    num_epochs_per_decay: float | None = option(
        2.0, 'Epochs of one decay; none: all that the run trains.', unit='epochs', above=0
    )
    learning_rate_staircase: bool = option(
        False, 'Change the rate at once after each of these spans, and not a little in each step.'
    )


@dataclass(frozen=True)
class FallingOptions(Options, group='training', home=HYPERPARAMETERS):
    """What schedules share that fall to another rate once."""

    num_epochs_per_decay: float | None = option(
        None, 'Epochs of one decay; none: all that the run trains.', unit='epochs', above=0
    )
    end_learning_rate: float = option(0.0, 'Rate at the end of the decay.', low=0)


@dataclass(frozen=True)
class PolynomialOptions(FallingOptions):
    """A rate that falls to another along a power of the time left."""

    polynomial_decay_power: float = option(1.0, 'The power; 1 is a straight line.', above=0)


@dataclass(frozen=True)
class CosineOptions(FallingOptions):
    """Half a period of a cosine (Loshchilov and Hutter 2016, arXiv:1608.03983, no restarts)."""


@dataclass(frozen=True)
class PiecewiseOptions(Options, group='training', home=HYPERPARAMETERS):
    """A rate for each of several spans of epochs."""

    learning_rate_boundaries: tuple[float, ...] = option(
        (), 'Epochs at which the next rate begins, rising.', unit='epochs', above=0
    )
    learning_rate_values: tuple[float, ...] = option(
        (), 'The rates from each boundary on; learning_rate is the one before the first.', above=0
    )


SCHEDULES = {
    'fixed': FixedOptions,
    'exponential': ExponentialOptions,
    'polynomial': PolynomialOptions,
    'cosine': CosineOptions,
    'piecewise': PiecewiseOptions,
}


@dataclass(frozen=True)
class OptimizerOptions(Options, group='training', home=HYPERPARAMETERS):
    """What every optimizer has."""

    optimizer: str = option(
        'adam',
        'How weights follow gradients.',
        choices=tuple(OPTIMIZERS),
        kept_with_run=True,
    )
    learning_rate: float = option(1e-4, 'Size of a step; where the schedule starts.', above=0)
    learning_rate_decay_type: str = option(
        'fixed',
        'How the learning rate changes while training.',
        choices=tuple(SCHEDULES),
    )
    warmup_epochs: float = option(
        0.0,
        'Epochs in which the learning rate rises in a line from almost nothing; 0: none.',
        unit='epochs',
        low=0,
    )
    gradient_clip_norm: float | None = option(
        None, 'Largest norm of all gradients together; none: as they are.', above=0
    )
    moving_average_decay: float = option(
        0.0,
        'Decay of a moving average of the weights, which evaluation and the best checkpoints then '
        'use; 0: none. 0.999 is a start.',
        low=0,
        below=1,
        kept_with_run=True,
    )


@dataclass(frozen=True)
class FineTuningOptions(Options, group='fine-tuning', home=HYPERPARAMETERS):
    """Which variables are trained, and where they start."""

    trainable_scopes: tuple[str, ...] = option(
        (),
        'Train only variables under these scopes, such as head,module/block7; none: all that the '
        'model trains.',
    )
    warm_start_ckpt: str | None = option(
        None,
        'Start from the weights in this checkpoint, run folder (its newest checkpoint) or '
        'SavedModel.',
    )
    checkpoint_exclude_scopes: tuple[str, ...] = option((), 'Scopes that a warm start leaves out.')
    checkpoint_restore_scopes: tuple[str, ...] = option(
        (), 'Scopes that a warm start is limited to; none: all.'
    )


@dataclass(frozen=True)
class PrecisionOptions(Options, group='performance', home=PROJECT):
    """Mixed precision while training; evaluation and prediction stay in float32."""

    dtype: str = option(
        'float32',
        'Type of most training arithmetic; float16 takes a GPU, weights stay float32.',
        choices=('float32', 'float16'),
    )
    loss_scale: str = option(
        'dynamic',
        'For float16: what the loss is multiplied by so that small gradients survive: dynamic, or '
        'a number such as 128.',
    )
