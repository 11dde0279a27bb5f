"""Every option of run.py, and what must hold between them.

Options are declared where they are used; this page gathers them, and adds those that choose.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from library.config.catalog import Catalog
from library.config.fields import COMMAND_LINE, PROJECT, Options, option
from library.config.hparams import HParams
from library.errors import ConfigError
from library.exporters.options import BestOptions
from library.inputs.options import DataOptions, ImageOptions, PipelineOptions
from library.models.options import LossOptions
from library.modes.options import EvaluationOptions, LoopOptions
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
        RunFacts,
    ),
    selectors={
        'model': {name: options for name, (_, options) in MODELS.items()},
        'optimizer': OPTIMIZERS,
    },
    aliases={'model': {'latest': LATEST}},
)


def check(hparams: HParams) -> HParams:
    """Raises ConfigError where options that are legal alone do not go together."""
    if os.path.abspath(hparams.model_dir) == os.path.abspath(hparams.best_model_dir):
        is_evaluation = 'validation_checkpoint' in hparams
        # A folder of best checkpoints is a model_dir to evaluate, but not one to train in.
        if not is_evaluation:
            raise ConfigError('--best_model_dir must be another folder than --model_dir')
    return hparams
