"""List all options of run.py: the classes that declare them, and what may be chosen.

Options are declared where they are used; this file gathers them, and adds those that choose.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from library.config.catalog import Catalog
from library.config.fields import COMMAND_LINE, PROJECT, Options, option
from library.exporters.options import BestOptions
from library.inputs.options import DataOptions, ImageOptions, PipelineOptions
from library.modes.options import (
    CheckpointChoice,
    EvaluationOptions,
    ExportBestOptions,
    ExportOptions,
    FeatureOptions,
    LoopOptions,
    PredictionOptions,
    PreviewOptions,
    SavedModelOptions,
    TopKOptions,
)
from library.preparation.options import RecordOptions, TableOptions
from library.preparation.pictures.decoded_size import SizeOptions
from library.preparation.pictures.picture_options import PictureOptions
from library.runtime.options import (
    CheckpointOptions,
    DistributionOptions,
    ProcessOptions,
    SessionOptions,
    WatchOptions,
)
from library.training.options import (
    FineTuningOptions,
    LengthOptions,
    PrecisionOptions,
    StepOptions,
)
from project.augmentation import AUGMENTATIONS, RandomCrop
from project.losses import LossOptions
from project.models import LATEST, MODELS
from project.optimizers import OPTIMIZERS
from project.schedules import SCHEDULES


@dataclass(frozen=True)
class SelectionOptions(Options, group='base', home=COMMAND_LINE):
    """Which project set to use."""

    config_file: str = option('project.yaml', 'File of project sets: how and where to run.')
    config_set: str = option('default', 'Its set to use, such as one per machine.')
    explain: bool = option(False, 'Print every value with its origin, and stop.')


@dataclass(frozen=True)
class CleanOptions(Options, group='base', home=COMMAND_LINE, modes=('train', 'train_and_eval')):
    """What is asked for once, and would do harm in a set."""

    clean: bool = option(False, 'Empty MODEL_DIR first, if a run of this project lives there.')


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


# Where the files of sets are, wherever a program is started: an installed package has copies of
# them in this folder (setup.py), a clone has them in the one above.
_HERE = os.path.dirname(os.path.abspath(__file__))
SET_FOLDERS = (_HERE, os.path.dirname(_HERE))

CATALOG = Catalog(
    always=(
        SelectionOptions,
        CleanOptions,
        ModelSelectionOptions,
        ProcessOptions,
        LengthOptions,
        LoopOptions,
        DataOptions,
        TableOptions,
        RecordOptions,
        PictureOptions,
        SizeOptions,
        FeatureOptions,
        ImageOptions,
        RandomCrop,
        *AUGMENTATIONS.values(),
        StepOptions,
        LossOptions,
        FineTuningOptions,
        PipelineOptions,
        SessionOptions,
        PrecisionOptions,
        DistributionOptions,
        CheckpointOptions,
        BestOptions,
        WatchOptions,
        CheckpointChoice,
        TopKOptions,
        EvaluationOptions,
        PredictionOptions,
        SavedModelOptions,
        ExportOptions,
        ExportBestOptions,
        PreviewOptions,
    ),
    selectors={
        'model': {name: model.options_class for name, model in MODELS.items()},
        'optimizer': OPTIMIZERS,
        'learning_rate_decay_type': SCHEDULES,
    },
    aliases={'model': {'latest': LATEST}},
    folders=SET_FOLDERS,
    choices={'optimizer': tuple(OPTIMIZERS), 'learning_rate_decay_type': tuple(SCHEDULES)},
)
