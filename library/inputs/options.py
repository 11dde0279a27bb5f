"""Declare the options of the input pipeline."""

from __future__ import annotations

from dataclasses import dataclass

from library.config.fields import HYPERPARAMETERS, PROJECT, Options, option
from library.config.hparams import HParams
from library.records.listing import AUTO

# How a picture of any shape becomes the model's square input.
FITS = CROP, SQUEEZE, PAD = ('crop', 'squeeze', 'pad')


@dataclass(frozen=True)
class DataOptions(Options, group='data', home=PROJECT):
    """Which records, in what portions."""

    data_dir: str = option(
        'dataset',
        'Folder with train/, test/ and perhaps validation/, as convert_dataset.py writes them.',
        kept_with_run=True,
    )
    train_metadata: tuple[str, ...] = option(
        (),
        'Train on this instead of DATA_DIR: TFRecord files (patterns such as DIR/train*), or '
        'images as they are: a table (CSV, JSON lines) or a folder.',
        kept_with_run=True,
    )
    eval_metadata: tuple[str, ...] = option(
        (), 'Evaluate on this instead of DATA_DIR: as train_metadata.', kept_with_run=True
    )
    use_synthetic_data: bool = option(
        False,
        'Feed noise from memory, to measure what the rest of a run costs.',
        kept_with_run=True,
    )
    synthetic_classes: int = option(
        10, 'Classes of the synthetic data.', unit='classes', low=1, kept_with_run=True
    )
    synthetic_examples: int = option(
        1024, 'Images of an epoch of synthetic data.', unit='images', low=1, kept_with_run=True
    )
    fold: int | None = option(
        None,
        'Evaluate on this fold of DATA_DIR and train on the others (convert_dataset.py --folds); '
        'none: train on the split train.',
        low=1,
        high=100,
        kept_with_run=True,
    )
    eval_split: str = option(
        AUTO,
        'Split to evaluate on, by any name that DATA_DIR has; auto is validation if there is one, '
        'otherwise test.',
    )
    batch_size: int = option(
        32,
        'Images in a batch, where train_batch_size or eval_batch_size gives none.',
        unit='images',
        low=1,
    )
    train_batch_size: int | None = option(
        None,
        'Images in a training batch; none: batch_size.',
        unit='images',
        low=1,
        instead_of='batch_size',
    )
    eval_batch_size: int | None = option(
        None,
        'Images in an evaluation batch; none: batch_size.',
        unit='images',
        low=1,
        instead_of='batch_size',
    )
    shuffle_buffer: int = option(
        4096, 'Encoded images in the shuffle buffer while training.', unit='images', low=1
    )
    debug: bool = option(False, 'Feed the training images in their stored order, unshuffled.')

    def images_per_batch(self, training: bool) -> int:
        """Return the batch size of training or evaluation; loop and chain must agree on it."""
        return int(getattr(self, self.batch_option(training)))

    def batch_option(self, training: bool) -> str:
        """Return the name of the option that gives it."""
        own = 'train_batch_size' if training else 'eval_batch_size'
        return own if getattr(self, own) else 'batch_size'


def is_offloaded(hparams: HParams) -> bool:
    """Return whether other machines prepare the training batches; noise needs none."""
    asked = any(each.value for each in hparams.entries().values() if each.option.offloads)
    return asked and not hparams.use_synthetic_data


@dataclass(frozen=True)
class PipelineOptions(Options, group='performance', home=PROJECT):
    """How the records are fed; no value changes what the model sees."""

    interleave_files: int = option(
        8, 'Shards that are read at the same time while training.', unit='files', low=1
    )
    num_parallel_calls: int | None = option(
        None, 'Images decoded at the same time; none: four for each core.', low=1
    )
    prefetch_batches: int | None = option(
        None, 'Batches kept ready; none: two.', unit='batches', low=1
    )
    prefetch_to_device: str = option(
        'auto', 'Device that batches are copied to ahead of time: auto (the one GPU), a name, none.'
    )


@dataclass(frozen=True)
class ImageOptions(Options, group='augmentation', home=HYPERPARAMETERS):
    """What the model sees of an image; the project lists the random changes of training."""

    fit: str = option(
        CROP,
        'How a picture that is not square fits: crop cuts its ends off, squeeze distorts it, pad '
        'puts all of it on a grey square.',
        choices=FITS,
        kept_with_run=True,
    )
    center_crop: float = option(
        1.0,
        'Central part that is seen where nothing is random, as a fraction: of the shorter edge '
        'with fit crop, which gives a square, otherwise of each edge.',
        above=0,
        high=1,
        kept_with_run=True,
    )
    augmentation: bool = option(
        True, 'Augment training images; off turns all random changes off.', changes_images=True
    )
