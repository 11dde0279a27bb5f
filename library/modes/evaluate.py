"""Evaluate one checkpoint on one split: a table on the screen, and metrics.json."""

from __future__ import annotations

import json
import os
from typing import Any

import tensorflow as tf

from library import files
from library.config.explain import read_saved
from library.errors import ConfigError, DataError, MismatchError
from library.exporters.evaluation_log import plain
from library.hooks.checkpoint_fit import CheckpointFitHook, checkpoint_at, is_readable
from library.hooks.progress import say
from library.modes.feature_cache.cache import with_cached_features
from library.runtime.experiment import Experiment


def run(experiment: Experiment) -> int:
    """Evaluates; returns the exit code.

    Writes MODEL_DIR/eval/metrics.json (eval_NAME with --validation_name).

    Raises:
      ConfigError: there is no such checkpoint.
      MismatchError: it does not fit the model.
      DataError: another number of examples was read than the manifest counts.
    """
    hparams = experiment.hparams
    checkpoint = find_checkpoint(
        hparams.validation_checkpoint, hparams.model_dir, hparams.best_model_dir, hparams.run_id
    )
    if hparams.cache_features:
        experiment = with_cached_features(experiment, checkpoint)
    estimator = experiment.estimator
    result = estimator.evaluate(
        experiment.batches(tf.estimator.ModeKeys.EVAL),
        hooks=[CheckpointFitHook(lambda: checkpoint)],
        checkpoint_path=checkpoint,
        name=hparams.validation_name,
    )
    metrics = _metrics(result, checkpoint, experiment)
    path = files.join(estimator.eval_dir(hparams.validation_name), 'metrics.json')
    files.write_atomically(path, (json.dumps(metrics, indent=1) + '\n').encode())
    width = max(len(name) for name in metrics)
    for name, value in metrics.items():
        say(f'{name:<{width}}  {f"{value:.4f}" if isinstance(value, float) else value}')
    say(f'written to {path}')
    return 0


def find_checkpoint(wanted: str, model_dir: str, best_model_dir: str, run_id: str) -> str:
    """The path of a checkpoint, without ending.

    Args:
      wanted: 'latest', a step and a plain name are looked for in model_dir, 'best' in
        best_model_dir; else a path of a checkpoint or of a folder with checkpoints.

    Raises:
      ConfigError: there is no such checkpoint.
      MismatchError: the checkpoint is damaged, or the best ones are those of another run.
    """
    if wanted == 'best':
        saved = read_saved(best_model_dir) or {}
        if run_id and 'run_id' in saved and saved['run_id'].text != run_id:
            raise MismatchError(f'{best_model_dir}: holds the best checkpoints of another run')
    folder = {'latest': model_dir, 'best': best_model_dir}.get(wanted, wanted)
    path = files.join(model_dir, f'model.ckpt-{wanted}') if wanted.isdigit() else folder
    path = checkpoint_at(path)
    if not files.exists(f'{path}.index') and files.exists(files.join(model_dir, f'{path}.index')):
        path = files.join(model_dir, path)
    if not files.exists(f'{path}.index'):
        raise ConfigError(f'{path}: no checkpoint there (--validation_checkpoint {wanted})')
    # TensorFlow takes a data file that was cut off for the end of the data set.
    if not is_readable(path):
        raise MismatchError(f'{path}: the checkpoint is damaged')
    return path


def _metrics(result: dict[str, Any], checkpoint: str, experiment: Experiment) -> dict[str, Any]:
    """What metrics.json holds; `loss` is the mean over examples."""
    metrics = plain(result)
    data = experiment.eval_data
    examples = int(metrics.pop('examples'))
    if examples != data.examples:
        raise DataError(f'{data.folder}: {examples} records were read, not {data.examples}')
    first = {'accuracy': metrics.pop('accuracy'), 'loss': metrics['average_loss']}
    del metrics['loss']
    last = {
        'examples': examples,
        'global_step': metrics.pop('global_step'),
        'checkpoint': checkpoint,
        'split': os.path.basename(data.folder),
    }
    return first | metrics | last
