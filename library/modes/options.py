"""The options of the modes."""

from __future__ import annotations

from dataclasses import dataclass

from library.config.fields import PROJECT, Options, option


@dataclass(frozen=True)
class LoopOptions(Options, group='base', home=PROJECT):
    """How long to train, and how often to look."""

    train_epochs: int = option(
        1000, 'Passes over the training images, over all starts of the run.', unit='epochs', low=1
    )
    epochs_between_evals: int = option(
        100, 'Passes between a checkpoint, its evaluation, and the next.', unit='epochs', low=1
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
