"""Every option of run.py, and what must hold between them.

Options are declared where they are used; this page gathers them, and adds those that choose.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from library import files
from library.config.catalog import Catalog
from library.config.fields import COMMAND_LINE, PROJECT, Options, option
from library.config.hparams import HParams
from library.errors import ConfigError
from library.exporters.options import BEST_STATE, BestOptions
from library.inputs.options import DataOptions, ImageOptions, PipelineOptions
from library.models.options import LossOptions
from library.modes.options import EvaluationOptions, LoopOptions, PreviewOptions
from library.runtime.options import CheckpointOptions, ProcessOptions, SessionOptions
from library.runtime.run_facts import RunFacts
from library.training.options import OPTIMIZERS, OptimizerOptions
from project.models import LATEST, MODELS


@dataclass(frozen=True)
class SelectionOptions(Options, group='base', home=COMMAND_LINE):
    """Which project set to use."""

    config_file: str = option('project.yaml', 'File of project sets: how and where to run.')
    config_set: str = option('default', 'Its set to use, such as one per machine.')
    explain: bool = option(False, 'Print every value with its origin, and stop.')


@dataclass(frozen=True)
class ModelSelectionOptions(Options, group='base', home=PROJECT):
    """Which hyper-parameter set and model to use."""

    hyperparameter_file: str = option(
        'hyperparameters.yaml', 'File of hyper-parameter sets: what is learned, and how.'
    )
    hyperparameter_set: str = option('default', 'Its set to use.')
    model: str = option(
        'latest', f'Model by name: {", ".join(MODELS)}; latest is {LATEST}.', kept_with_run=True
    )


CATALOG = Catalog(
    always=(
        SelectionOptions,
        ModelSelectionOptions,
        ProcessOptions,
        LoopOptions,
        DataOptions,
        ImageOptions,
        OptimizerOptions,
        LossOptions,
        PipelineOptions,
        SessionOptions,
        CheckpointOptions,
        BestOptions,
        EvaluationOptions,
        PreviewOptions,
        RunFacts,
    ),
    selectors={
        'model': {name: options for name, (_, options) in MODELS.items()},
        'optimizer': OPTIMIZERS,
    },
    aliases={'model': {'latest': LATEST}},
)


def check(hparams: HParams, mode: str) -> None:
    """Raises ConfigError where options that are legal alone do not go together."""
    if mode == 'train':
        _check_folders(hparams.model_dir, hparams.best_model_dir)
    name = hparams.validation_name if mode == 'evaluate' else None
    if name is not None and (os.path.basename(name) != name or name in ('.', '..')):
        raise ConfigError(f'--validation_name {name}: a plain name, without folders')


def _check_folders(model_dir: str, best_model_dir: str) -> None:
    """A run and its best checkpoints, each in a folder of its own kind."""
    if os.path.realpath(model_dir) == os.path.realpath(best_model_dir):
        raise ConfigError('--best_model_dir must be another folder than --model_dir')
    if files.exists(files.join(model_dir, BEST_STATE)):
        raise ConfigError(
            f'{model_dir}: holds the best checkpoints of a run, to evaluate and not to train on '
            f'(--model_dir)'
        )
    # Training writes its events there, the best checkpoints have none.
    if any(name.startswith('events.out.') for name in files.names_in(best_model_dir)):
        raise ConfigError(f'{best_model_dir}: a run lives there (--best_model_dir)')
