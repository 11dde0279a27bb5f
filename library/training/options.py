"""Declare the options that every training run has: length, step size, fine-tuning, precision."""

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
        None,
        'Steps to train, instead of train_epochs.',
        unit='steps',
        low=1,
        instead_of='train_epochs',
    )
    max_train_steps: int | None = option(
        None, 'Never train longer than this, whatever the other two say.', unit='steps', low=1
    )


@dataclass(frozen=True)
class StepOptions(Options, group='training', home=HYPERPARAMETERS):
    """How large a step is, whatever the optimizer; the project lists optimizers and schedules."""

    optimizer: str = option('adam', 'Optimizer by name.', kept_with_run=True)
    learning_rate: float = option(1e-4, 'Size of a step; where the schedule starts.', above=0)
    learning_rate_decay_type: str = option('fixed', 'How the learning rate changes while training.')
    warmup_epochs: float = option(
        0.0,
        'Epochs in which the learning rate rises linearly from almost 0; 0: none.',
        unit='epochs',
        low=0,
    )
    gradient_clip_norm: float | None = option(
        None, 'Clip the gradients to this global norm; none: no clipping.', above=0
    )
    moving_average_decay: float = option(
        0.0,
        'Decay of a moving average of the weights, which evaluation and the best checkpoints then '
        'use; 0: none. 0.999 is a good start.',
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
    checkpoint_exclude_scopes: tuple[str, ...] = option(
        (), 'Scopes that a warm start leaves out.', needs='warm_start_ckpt'
    )
    checkpoint_restore_scopes: tuple[str, ...] = option(
        (), 'Scopes that a warm start is limited to; none: all.', needs='warm_start_ckpt'
    )


@dataclass(frozen=True)
class PrecisionOptions(Options, group='performance', home=PROJECT):
    """Mixed precision while training; evaluation and prediction stay in float32."""

    dtype: str = option(
        'float32',
        'Type of most training arithmetic; float16 needs a GPU, weights stay float32.',
        choices=('float32', 'float16'),
    )
    loss_scale: str = option(
        'dynamic',
        'For float16: factor of the loss that keeps small gradients from vanishing: dynamic, or '
        'a number such as 128.',
        needs='dtype float16',
    )
