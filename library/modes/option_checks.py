"""Check options that are legal alone but not together, before TensorFlow is imported."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any

from library import files
from library.config.catalog import Catalog
from library.config.hparams import HParams
from library.config.needs import check_used
from library.errors import ConfigError
from library.hooks.by_name import check_names
from library.models.class_weights import check_class_weights
from library.modes.evaluation.gate import limits_of
from library.modes.feature_cache.decision import check_feature_options
from library.modes.options import ExportOptions
from library.preparation.pictures.picture_options import PictureOptions
from library.runs.directory import BEST_STATE
from library.training.loss_scale_check import check_loss_scale


def check(hparams: HParams, mode: str, catalog: Catalog, hooks: Collection[str]) -> None:
    """Raise ConfigError where options that are legal alone do not go together.

    Args:
      hparams: every option of the run.
      mode: the first word of the command line; 'train' for each mode that trains.
      catalog: the options there are, and what may be chosen.
      hooks: the names that the option `hooks` may hold.
    """
    if mode == 'train':
        _check_training(hparams, catalog, hooks)
    if mode in ('train', 'evaluate'):
        check_feature_options(hparams, training=mode == 'train')
    if mode == 'evaluate':
        _check_evaluation(hparams)
    if mode == 'predict':
        # Late, because it looks at images' endings and so imports Pillow.
        from library.modes.prediction.prediction_checks import check_prediction

        check_prediction(hparams)
    if mode == 'export' or (mode == 'train' and hparams.export_best):
        _check_export_dir(hparams)


def _check_export_dir(hparams: HParams) -> None:
    folder = hparams.take(ExportOptions).folder_of(hparams.model_dir)
    if os.path.isfile(folder):
        raise ConfigError(f'{folder}: a file, not a folder ({hparams.place("export_dir")})')


def _check_evaluation(hparams: HParams) -> None:
    limits_of(hparams)
    name = hparams.validation_name
    if name is not None and (os.path.basename(name) != name or name in ('.', '..')):
        place = hparams.place('validation_name')
        raise ConfigError(f'{place}: {name} is not a plain name, without folders')


def _check_training(hparams: HParams, catalog: Catalog, hooks: Collection[str]) -> None:
    """Check what training alone reads: it may be wrong where it is not read."""
    _check_folders(hparams)
    if hparams.save_checkpoints_steps and hparams.save_checkpoints_secs:
        places = map(hparams.place, ('save_checkpoints_steps', 'save_checkpoints_secs'))
        raise ConfigError(f'{" and ".join(places)}: give one of them')
    check_names(hparams, hooks)
    check_used(hparams)
    if hparams.train_metadata:
        hparams.take(PictureOptions)
    schedules: Mapping[str, Any] = catalog.selectors['learning_rate_decay_type']
    schedule = hparams.take(schedules[hparams.learning_rate_decay_type])
    schedule.check(hparams.learning_rate, hparams.place)
    check_loss_scale(hparams.loss_scale, hparams.place('loss_scale'))
    check_class_weights(hparams.class_weights, hparams.place('class_weights'))


def _check_folders(hparams: HParams) -> None:
    """Keep a run and its best checkpoints each in a folder of its own kind."""
    model_dir, best_model_dir = hparams.model_dir, hparams.best_model_dir
    if os.path.realpath(model_dir) == os.path.realpath(best_model_dir):
        raise ConfigError(
            f'{hparams.place("best_model_dir")} must be another folder than --model_dir'
        )
    if files.exists(files.join(model_dir, BEST_STATE)):
        raise ConfigError(
            f'{model_dir}: holds the best checkpoints of a run, to evaluate and not to train on '
            f'({hparams.place("model_dir")})'
        )
    # Training writes its events there, the best checkpoints have none.
    if any(name.startswith('events.out.') for name in files.names_in(best_model_dir)):
        raise ConfigError(
            f'{best_model_dir}: a run lives there ({hparams.place("best_model_dir")})'
        )
