"""Every option of run.py, and what must hold between them.

Options are declared where they are used; this page gathers them, and adds those that choose.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass

from library import files
from library.config.catalog import Catalog
from library.config.fields import COMMAND_LINE, PROJECT, Options, option
from library.config.hparams import HParams
from library.config.needs import check_used, unused
from library.config.set_files import find_set_file
from library.errors import ConfigError
from library.exporters.options import BestOptions
from library.inputs.options import DataOptions, ImageOptions, PipelineOptions
from library.models.class_weights import check_class_weights
from library.models.options import LossOptions
from library.modes.evaluation.gate import limits_of
from library.modes.feature_cache.decision import check_feature_options
from library.modes.options import (
    AnswerOptions,
    CheckpointChoice,
    EvaluationOptions,
    ExportBestOptions,
    ExportFormatOptions,
    ExportOptions,
    FeatureOptions,
    LoopOptions,
    PredictionOptions,
    PreviewOptions,
    SavedModelOptions,
)
from library.runs.directory import BEST_STATE
from library.runs.metadata import RunFacts
from library.runtime.cluster import read_cluster
from library.runtime.distribution_kind import (
    check_batch,
    check_distribution,
    check_in_cluster,
    replicas_of,
)
from library.runtime.options import (
    CheckpointOptions,
    DistributionOptions,
    ProcessOptions,
    SessionOptions,
    WatchOptions,
)
from library.training.checks import check_loss_scale, check_schedule
from library.training.options import (
    OPTIMIZERS,
    SCHEDULES,
    FineTuningOptions,
    LengthOptions,
    OptimizerOptions,
    PrecisionOptions,
)
from project.hooks import check_hooks
from project.models import LATEST, MODELS


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
        FeatureOptions,
        ImageOptions,
        OptimizerOptions,
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
        AnswerOptions,
        EvaluationOptions,
        PredictionOptions,
        SavedModelOptions,
        ExportOptions,
        ExportBestOptions,
        PreviewOptions,
        RunFacts,
    ),
    selectors={
        'model': {name: options for name, (_, options) in MODELS.items()},
        'optimizer': OPTIMIZERS,
        'learning_rate_decay_type': SCHEDULES,
    },
    aliases={'model': {'latest': LATEST}},
    folders=SET_FOLDERS,
)


def for_formats(formats: Collection[str]) -> tuple[type[Options], ...]:
    """The options of a clone that exports in other formats than a SavedModel, too."""
    return (ExportFormatOptions,) if formats else ()


def check(hparams: HParams, mode: str) -> None:
    """Raises ConfigError where options that are legal alone do not go together."""
    if mode == 'train':
        _check_training(hparams)
    if mode in ('train', 'evaluate'):
        check_feature_options(hparams, training=mode == 'train')
    if mode == 'evaluate':
        _check_evaluation(hparams)
    if mode == 'predict':
        # Late, because it looks at images' endings and so imports Pillow.
        from library.modes.prediction.checks import check_prediction

        check_prediction(hparams)
    if mode == 'export' or (mode == 'train' and hparams.export_best):
        _check_export_dir(hparams)


def _check_export_dir(hparams: HParams) -> None:
    folder = hparams.take(ExportOptions).folder_of(hparams.model_dir)
    if os.path.isfile(folder):
        raise ConfigError(f'{folder}: a file, no folder ({hparams.place("export_dir")})')


def _check_evaluation(hparams: HParams) -> None:
    limits_of(hparams)
    name = hparams.validation_name
    if name is not None and (os.path.basename(name) != name or name in ('.', '..')):
        place = hparams.place('validation_name')
        raise ConfigError(f'{place}: {name} is not a plain name, without folders')


def _check_training(hparams: HParams) -> None:
    """What other modes do not read may be wrong there."""
    _check_folders(hparams)
    if hparams.save_checkpoints_steps and hparams.save_checkpoints_secs:
        places = map(hparams.place, ('save_checkpoints_steps', 'save_checkpoints_secs'))
        raise ConfigError(f'{" and ".join(places)}: give one of them')
    check_hooks(hparams)
    check_used(hparams)
    schedule = hparams.take(SCHEDULES[hparams.learning_rate_decay_type])
    check_schedule(hparams.learning_rate, schedule, hparams.place)
    check_loss_scale(hparams.loss_scale, hparams.place('loss_scale'))
    check_class_weights(hparams.class_weights, hparams.place('class_weights'))
    _check_distribution(hparams)


def _check_distribution(hparams: HParams) -> None:
    """What this machine and the cluster in TF_CONFIG can do, before TensorFlow looks at them."""
    options, cluster = hparams.take(DistributionOptions), read_cluster(os.environ)
    check_distribution(options, cluster, hparams.place)
    check_in_cluster(hparams, cluster)
    if options.num_gpus == -1:
        # TensorFlow alone knows how many there are; the batch is checked then.
        return
    replicas = replicas_of(options, cluster, options.num_gpus or 1)
    name = hparams.take(DataOptions).batch_option(training=True)
    check_batch(getattr(hparams, name), replicas, hparams.place(name))


def _check_folders(hparams: HParams) -> None:
    """A run and its best checkpoints, each in a folder of its own kind."""
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


def overruled(hparams: HParams) -> dict[str, str]:
    """By name, which options another one overrules, caps or lacks: what --explain says of them.

    Of files of sets that are not in the working folder it says where they are.
    """
    notes = {name: f'unused without {taken}' for name, taken in unused(hparams).items()}
    for name in ('config_file', 'hyperparameter_file'):
        path = getattr(hparams, name)
        found = find_set_file(path, SET_FOLDERS)
        if found != path:
            notes[name] = f'it is {found}'
    if hparams.train_steps:
        notes['train_epochs'] = 'train_steps wins'
    if hparams.max_train_steps:
        length = 'train_steps' if hparams.train_steps else 'train_epochs'
        notes[length] = f'capped by max_train_steps {hparams.max_train_steps}'
    for winner in ('save_checkpoints_steps', 'save_checkpoints_secs'):
        if getattr(hparams, winner):
            notes['epochs_between_evals'] = f'{winner} wins'
    if hparams.train_batch_size and hparams.eval_batch_size:
        notes['batch_size'] = 'train_batch_size and eval_batch_size win'
    return notes
