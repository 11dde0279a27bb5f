"""Decide whether features are computed once; imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence

from library.config.hparams import HParams
from library.errors import ConfigError
from library.inputs.options import DataOptions, is_offloaded
from library.modes.options import FeatureOptions
from library.records.listing import Split
from library.records.manifest import Manifest
from library.runs.metadata import Run
from library.training.epochs import Epochs
from library.training.options import LengthOptions


def asked_by(hparams: HParams, training: bool) -> str | None:
    """Name the flag by which a person asked for features that are kept; None if nobody did.

    Args:
      hparams: every option.
      training: the run trains; copies are of training images.
    """
    options = hparams.take(FeatureOptions)
    if options.cache_features:
        return '--cache_features'
    return '--feature_copies' if training and options.feature_copies else None


def check_feature_options(hparams: HParams, training: bool) -> None:
    """Raise ConfigError where the options that ask for kept features contradict others.

    Args:
      hparams: every option.
      training: the run trains.
    """
    options = hparams.take(FeatureOptions)
    if training and options.feature_copies:
        if options.cache_features is False:
            raise ConfigError('--feature_copies and --no_cache_features: give one of them')
        if not hparams.augmentation:
            raise ConfigError(
                '--feature_copies: keeps augmented copies, but augmentation is off '
                '(--no_augmentation)'
            )
    asked = asked_by(hparams, training)
    if asked is None:
        return
    if 'fine_tuning' in hparams and hparams.fine_tuning:
        raise ConfigError(f'{asked}: with --fine_tuning the features change in every step')
    if hparams.use_synthetic_data:
        raise ConfigError(f'{asked}: needs converted images, not --use_synthetic_data')


def uses_features(hparams: HParams, run: Run, splits: Sequence[Split], training: bool) -> bool:
    """Decide whether a run works on kept features.

    Unasked, features are kept where they are the same as what training would compute in every
    epoch, and where that costs less: a run of less than one pass over the images would compute
    more than it needs.

    Args:
      hparams: every option, completed by what the model says.
      run: what the run found out.
      splits: what the run reads.
      training: the run trains, and the first of `splits` is what it trains on.

    Raises:
      ConfigError: they were asked for, and there can be none.
    """
    asked = asked_by(hparams, training)
    converted = all(isinstance(split, Manifest) for split in splits)
    if asked:
        if not run.features_digest:
            raise ConfigError(
                f'{asked}: the model {hparams.model} has no features that stay as they are'
            )
        if not converted:
            raise ConfigError(f'{asked}: needs converted images (convert_dataset.py)')
        return True
    if hparams.cache_features is False or not training or not converted:
        return False
    if not run.features_digest or hparams.augmentation or is_offloaded(hparams):
        return False
    batch_size = hparams.take(DataOptions).images_per_batch(training=True)
    epochs = Epochs(splits[0].examples, batch_size)
    return epochs.total_steps(hparams.take(LengthOptions)) >= epochs.steps(1)
