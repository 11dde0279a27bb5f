"""The options of the modes."""

from __future__ import annotations

from dataclasses import dataclass

from library.config.fields import PROJECT, Options, option


@dataclass(frozen=True)
class LoopOptions(Options, group='base', home=PROJECT):
    """How often to look at a run, and when to end it before its length is reached."""

    epochs_between_evals: int = option(
        100, 'Passes between a checkpoint, its evaluation, and the next.', unit='epochs', low=1
    )
    eval_freq: int | None = option(
        None, 'Batches of an evaluation while training; none: all.', unit='batches', low=1
    )
    eval_throttle_secs: int = option(
        0, 'Least time from one evaluation to the next, though checkpoints come.', unit='s', low=0
    )
    stop_threshold: float | None = option(
        None, 'Stop once the stop_metric is as good as this; none: do not.'
    )
    stop_metric: str = option('accuracy', 'Metric of the stop_threshold.')
    stop_metric_mode: str = option(
        'auto',
        'Whether less or more is better; auto: as best_metric_mode says if it is best_metric too, '
        'less for losses and errors, else more.',
        choices=('auto', 'min', 'max'),
    )
    early_stopping_patience: int | None = option(
        None,
        'Stop after so many evaluations without a better early_stopping_metric; none: do not.',
        unit='evaluations',
        low=1,
    )
    early_stopping_min_delta: float = option(
        0.0, 'What a metric must gain to count as better.', low=0
    )
    early_stopping_metric: str = option('average_loss', 'Metric that the patience is about.')
    early_stopping_metric_mode: str = option(
        'auto', 'As stop_metric_mode, for the patience.', choices=('auto', 'min', 'max')
    )


@dataclass(frozen=True)
class FeatureOptions(Options, group='data', home=PROJECT):
    """Whether the features of a frozen module are computed once and kept."""

    cache_features: bool | None = option(
        None,
        'Compute the features of a frozen module once and train on them; none: if that only saves '
        'time (converted images, no augmentation, no data_service, at least one epoch).',
    )
    feature_copies: int = option(
        0,
        'Augmented copies of each training image whose features are kept; 0: the image as it is.',
        low=0,
        high=1000,
    )


@dataclass(frozen=True)
class EvaluationOptions(Options, group='evaluation', home=PROJECT, modes=('evaluate',)):
    """What `run.py evaluate` evaluates."""

    validation_checkpoint: str = option(
        'latest', 'Checkpoint to evaluate: latest, best, a step, or a path.'
    )
    validation_name: str | None = option(
        None, 'Name of this evaluation: results go to eval_NAME/, none: to eval/.'
    )


@dataclass(frozen=True)
class PreviewOptions(Options, group='preview', home=PROJECT, modes=('preview',)):
    """What `run.py preview` draws."""

    preview_images: int = option(
        32, 'Training images in the picture.', unit='images', low=1, high=400
    )
    preview_file: str = option('out/preview.png', 'The picture, a PNG.')
