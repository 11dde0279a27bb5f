"""Declare the options of the modes."""

from __future__ import annotations

from dataclasses import dataclass

from library import files
from library.config.fields import COMMAND_LINE, PROJECT, Options, option


@dataclass(frozen=True)
class LoopOptions(Options, group='base', home=PROJECT):
    """How often to look at a run, and when to end it before its length is reached."""

    epochs_between_evals: int = option(
        100, 'Epochs between checkpoints, each followed by an evaluation.', unit='epochs', low=1
    )
    eval_freq: int | None = option(
        None, 'Batches of an evaluation while training; none: all.', unit='batches', low=1
    )
    eval_throttle_secs: int = option(
        0, 'Least time between evaluations, even if there are more checkpoints.', unit='s', low=0
    )
    stop_threshold: float | None = option(
        None, 'Stop once the stop_metric is as good as this; none: never.'
    )
    stop_metric: str = option('accuracy', 'Metric of the stop_threshold.', needs='stop_threshold')
    stop_metric_mode: str = option(
        'auto',
        'Whether less or more is better; auto: as best_metric_mode says if it is best_metric too, '
        'less for losses and errors, otherwise more.',
        choices=('auto', 'min', 'max'),
        needs='stop_threshold',
    )
    early_stopping_patience: int | None = option(
        None,
        'Stop after so many evaluations without a better early_stopping_metric; none: never.',
        unit='evaluations',
        low=1,
    )
    early_stopping_min_delta: float = option(
        0.0, 'Least improvement of a metric that counts.', low=0, needs='early_stopping_patience'
    )
    early_stopping_metric: str = option(
        'average_loss', 'Metric that the patience applies to.', needs='early_stopping_patience'
    )
    early_stopping_metric_mode: str = option(
        'auto',
        'As stop_metric_mode, for the patience.',
        choices=('auto', 'min', 'max'),
        needs='early_stopping_patience',
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
class CheckpointChoice(
    Options, group='evaluation', home=PROJECT, modes=('evaluate', 'predict', 'export')
):
    """Which checkpoint of a run is worked with."""

    validation_checkpoint: str = option(
        'latest', 'Checkpoint to work with: latest, best, a step, or a path.'
    )


@dataclass(frozen=True)
class TopKOptions(Options, group='evaluation', home=PROJECT, modes=('evaluate', 'predict')):
    """How much of a prediction is looked at."""

    top_k: int = option(
        5, 'How many of the most probable classes count as answers.', unit='classes', low=1
    )


@dataclass(frozen=True)
class EvaluationOptions(Options, group='evaluation', home=PROJECT, modes=('evaluate',)):
    """What `run.py evaluate` writes, and what it asks of a model."""

    validation_name: str | None = option(
        None, 'Name of this evaluation: results go to eval_NAME/, none: to eval/.'
    )
    fail_below: tuple[str, ...] = option(
        (), 'Exit code 7 if a metric is less than this: METRIC=NUMBER, such as accuracy=0.9.'
    )
    fail_above: tuple[str, ...] = option(
        (), 'Exit code 7 if a metric is more than this: METRIC=NUMBER.'
    )


@dataclass(frozen=True)
class PredictionOptions(Options, group='prediction', home=PROJECT, modes=('predict',)):
    """What `run.py predict` reads and writes."""

    predict_input: tuple[str, ...] = option(
        (),
        'What to classify: images, folders, patterns, CSV files or TFRecord files.',
        commas=False,
    )
    predict_output: str | None = option(
        None, 'File for the answers, .csv or .jsonl; none: all of them go to the screen.'
    )


@dataclass(frozen=True)
class SavedModelOptions(Options, group='prediction', home=COMMAND_LINE, modes=('predict',)):
    """What is worked with instead of a run."""

    saved_model: str | None = option(
        None, 'Exported model (or the folder of its versions) to predict with, instead of a run.'
    )


@dataclass(frozen=True)
class ExportOptions(
    Options, group='export', home=PROJECT, modes=('export', 'train', 'train_and_eval')
):
    """Where an exported model goes, and how it is checked."""

    export_dir: str | None = option(
        None,
        'Folder for exported models, a numbered version each; none: MODEL_DIR/export.',
        kept_with_run=True,
    )
    parity_images: int = option(
        64, 'Images of the evaluation split that every export is tried on.', unit='images', low=1
    )

    def folder_of(self, model_dir: str) -> str:
        """Give the folder that the versions of the run in `model_dir` go into."""
        return self.export_dir or files.join(model_dir, 'export')


@dataclass(frozen=True)
class ExportFormatOptions(
    Options, group='export', home=PROJECT, modes=('export', 'train', 'train_and_eval')
):
    """What a trained model is turned into beside a SavedModel, in a clone with formats for that."""

    # The choices are the formats of all extras (start.py).
    export_formats: tuple[str, ...] = option((), 'Formats to export besides a SavedModel.')
    min_agreement: float = option(
        0.95,
        'Fraction of the parity_images on which a quantized model must give the same class as the '
        'checkpoint.',
        low=0,
        high=1,
    )


@dataclass(frozen=True)
class ExportBestOptions(Options, group='export', home=PROJECT, modes=('train', 'train_and_eval')):
    """Whether training exports."""

    export_best: bool = option(False, 'Export every new best checkpoint while training.')


@dataclass(frozen=True)
class PreviewOptions(Options, group='preview', home=PROJECT, modes=('preview',)):
    """What `run.py preview` draws."""

    preview_images: int = option(
        32, 'Training images in the picture.', unit='images', low=1, high=400
    )
    preview_file: str = option('out/preview.png', 'The picture, a PNG.')
