"""Evaluate one checkpoint on one split: metrics, tables, plots and a gate."""

from __future__ import annotations

import functools
import json
import os
from typing import Any

import tensorflow as tf

from library import files
from library.checkpoints.fit import CheckpointFitHook
from library.console import log
from library.errors import DataError
from library.exporters.evaluation_log import plain
from library.hooks.evaluation_bar import EvaluationBarHook
from library.hooks.predictions import PredictionsHook
from library.inputs.options import DataOptions
from library.inputs.stored_files import stored_files
from library.modes.checkpoint_choice import with_chosen_checkpoint
from library.modes.evaluation import tables
from library.modes.evaluation.confusion_summary import summarize_confusion
from library.modes.evaluation.gate import check_gate, limits_of
from library.modes.evaluation.mistakes import list_mistakes
from library.modes.evaluation.result import Evaluation, Predictions
from library.modes.feature_cache.cache import with_cached_features
from library.runtime.experiment import Experiment

METRICS = 'metrics.json'
# More classes would push all else off the screen.
CLASSES_SHOWN = 20


def run(experiment: Experiment) -> int:
    """Evaluate a checkpoint; return the exit code.

    Writes metrics.json, tables, plots and the files of extras into MODEL_DIR/eval/ (eval_NAME/
    with --validation_name).

    Raises:
      ConfigError: there is no such checkpoint, or a limit is for a metric that there is not.
      MismatchError: the checkpoint does not fit the model.
      DataError: another number of examples was read than the manifest counts.
      GateError: a metric misses its limit; all files are written.
    """
    hparams = experiment.hparams
    metrics, predictions = with_chosen_checkpoint(
        hparams, experiment.run.run_id, functools.partial(_evaluate, experiment)
    )
    folder = experiment.estimator.eval_dir(hparams.validation_name)
    evaluation = _judge(experiment, metrics, predictions, folder)
    added = _write(evaluation, experiment)
    _show(evaluation)
    for name in added:
        log(f'{os.path.splitext(name)[0]}: {files.join(folder, name)}')
    check_gate(evaluation.metrics, limits_of(hparams))
    return 0


def _evaluate(
    experiment: Experiment, checkpoint: str, read_from: str
) -> tuple[dict[str, Any], Predictions]:
    """Go over the images once, for the Estimator's metrics and the predictions."""
    hparams = experiment.hparams
    if hparams.cache_features:
        experiment = with_cached_features(experiment, read_from)
    data = experiment.eval_data
    log(f'evaluating {os.path.basename(checkpoint)} on {data.examples} images of {data.folder}')
    batch_size = hparams.take(DataOptions).images_per_batch(training=False)
    hook = PredictionsHook()
    result = experiment.estimator.evaluate(
        experiment.batches(tf.estimator.ModeKeys.EVAL),
        hooks=[
            CheckpointFitHook(lambda: read_from),
            hook,
            EvaluationBarHook(data.examples, batch_size),
        ],
        checkpoint_path=read_from,
        name=hparams.validation_name,
    )
    metrics = _metrics(result, checkpoint, experiment)
    return metrics, Predictions(tuple(experiment.run.class_names), *hook.take())


def _metrics(result: dict[str, Any], checkpoint: str, experiment: Experiment) -> dict[str, Any]:
    """Put together what metrics.json begins with; `loss` is the mean over examples."""
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


def _judge(
    experiment: Experiment, metrics: dict[str, Any], predictions: Predictions, folder: str
) -> Evaluation:
    """Find out all that follows from the predictions."""
    # Late: a checkpoint that is not there is told before scikit-learn is imported.
    from library.modes.evaluation.metrics import added_metrics, calibration, class_scores

    hparams = experiment.hparams
    scores, bins = class_scores(predictions), calibration(predictions)
    added = added_metrics(predictions, scores, bins, hparams.top_k)
    mistakes = list_mistakes(
        predictions, lambda numbers: stored_files(experiment.eval_data, numbers)
    )
    # Behind those that other programs rely on; a metric of the project's own keeps its name.
    new = {name: value for name, value in added.items() if name not in metrics}
    return Evaluation(metrics | new, predictions, scores, bins, mistakes, folder)


def _write(evaluation: Evaluation, experiment: Experiment) -> list[str]:
    """Write the evaluation's files, each whole or not at all, metrics.json as the last of all.

    Returns:
      The names of the files that extras added.
    """
    from library.modes.evaluation.plots import draw

    plots = draw(evaluation)
    contents: dict[str, bytes | None] = {
        'per_class.csv': tables.per_class_csv(evaluation.classes),
        'confusion_matrix.csv': tables.confusion_csv(evaluation.predictions),
        'confusion_matrix.png': plots.confusion,
        'calibration.png': plots.calibration,
        'mistakes.csv': tables.mistakes_csv(evaluation.mistakes),
    }
    added: dict[str, bytes | None] = {}
    for make in experiment.extras.code('evaluation_files'):
        added |= make(experiment.hparams, evaluation, plots)
    for name, content in (contents | added).items():
        path = files.join(evaluation.folder, name)
        if content is not None:
            files.write_atomically(path, content)
        elif files.exists(path):
            files.remove(path)
    step = evaluation.metrics['global_step']
    summarize_confusion(plots.confusion, evaluation.folder, int(str(step)))
    metrics = json.dumps(evaluation.metrics, indent=1) + '\n'
    files.write_atomically(files.join(evaluation.folder, METRICS), metrics.encode())
    return [name for name, content in added.items() if content is not None]


def _show(evaluation: Evaluation) -> None:
    for line in tables.metric_lines(evaluation.metrics):
        log(line)
    if len(evaluation.classes) <= CLASSES_SHOWN:
        for line in ['', *tables.class_lines(evaluation.classes), '']:
            log(line)
    log(
        f'written to {files.join(evaluation.folder, METRICS)}; per class, confusion matrix, '
        f'calibration and mistakes ({len(evaluation.mistakes)}) beside it'
    )
