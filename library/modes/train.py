"""Train, evaluate after every checkpoint, keep the best; started again, go on to the same end."""

from __future__ import annotations

import math
import os
from collections.abc import Callable

import tensorflow as tf

from library.config.explain import changes, read_saved, save
from library.config.hparams import HParams
from library.exporters.best_checkpoint import BestCheckpointExporter
from library.exporters.evaluation_log import EvaluationLog, read_history
from library.exporters.options import BestOptions
from library.exporters.snapshots import Snapshot
from library.hooks.checkpoint_fit import CheckpointFitHook, newest_checkpoint
from library.hooks.checkpoint_saver import SaveWhereDueHook
from library.hooks.finite import FiniteLossHook, FiniteVariablesListener
from library.hooks.progress import ProgressHook, say
from library.hooks.stop_on_signal import StopEvaluationHook, StopRequest, StopTrainingHook
from library.modes.checks import check_dtype, check_metrics, check_model, check_training
from library.modes.early_stopping import EarlyStopping, EarlyStoppingHook, with_directions
from library.modes.evaluation.confusion_summary import ConfusionSummaryHook
from library.modes.exporting.best import BestModelExporter
from library.modes.feature_cache.cache import with_cached_features
from library.modes.length import run_length
from library.modes.options import LoopOptions
from library.runtime.experiment import Experiment
from library.runtime.folder_lock import LOCK
from library.runtime.run_folder import (
    mend_checkpoints,
    newest_step,
    only_trainer,
)
from library.runtime.run_place import empty_run_folder, link_latest
from library.training.epochs import Epochs

MODES = tf.estimator.ModeKeys


def run(experiment: Experiment) -> int:
    """Trains to the end of the run's length; returns the exit code.

    Raises:
      MismatchError: the run's checkpoint does not fit these options, or none can be read.
      NumericalError: the loss, or a variable, is not finite.
      ResourceError: another process trains in this folder.
      Stopped: a signal came; a checkpoint was saved.
    """
    hparams = experiment.hparams
    with only_trainer(hparams.model_dir):
        if hparams.clean:
            if newest_checkpoint(hparams.model_dir):
                check_training(experiment)
            empty_run_folder(hparams.model_dir, keep=LOCK)
        if hparams.time_stamped:
            link_latest(hparams.model_dir)
        with only_trainer(hparams.best_model_dir):
            mend_checkpoints(hparams.model_dir)
            check_metrics(experiment)
            newest = experiment.estimator.latest_checkpoint()
            check_dtype(hparams, newest)
            _run(with_cached_features(experiment, newest))
    return 0


def _run(experiment: Experiment) -> None:
    hparams, estimator = experiment.hparams, experiment.estimator
    model_dir, loop = estimator.model_dir, hparams.take(LoopOptions)
    epochs, total = run_length(hparams)
    _open_run(experiment)
    best = BestCheckpointExporter(hparams.take(BestOptions), hparams, hparams.run_id)
    models = [BestModelExporter(experiment, best)] if hparams.export_best else []
    log = EvaluationLog(model_dir, best.is_best)
    rules = EarlyStopping(model_dir, with_directions(loop, hparams.take(BestOptions)))
    is_due = _saving_rule(hparams, epochs, total)
    with StopRequest(_way_on(hparams)) as request:
        eval_spec = tf.estimator.EvalSpec(
            experiment.batches(MODES.EVAL),
            steps=loop.eval_freq,
            hooks=[StopEvaluationHook(request), *_drawing_hooks(experiment)],
            # The log comes after the best: what it lists was exported. The rules read the log.
            exporters=[best, *models, log, rules],
            start_delay_secs=0,
            throttle_secs=loop.eval_throttle_secs,
        )
        step = newest_step(model_dir)
        ends = step >= total or rules.reason is not None
        # A checkpoint that a signal left between two evaluations is not for evaluation.
        if step > 0 and (ends or is_due(step, math.inf)) and not log.has(step):
            _evaluate_newest(experiment, eval_spec)
        if step >= total:
            check_model(experiment)
            say(f'step {step}: all {total} steps are trained already')
        elif rules.reason:
            check_model(experiment)
            say(f'stopped early: {rules.reason}')
        else:
            hooks = [
                # Before the saver: what is not finite must not be saved.
                FiniteLossHook(),
                CheckpointFitHook(
                    estimator.latest_checkpoint, lambda: save(hparams, model_dir), training=True
                ),
                # Before the saver: it evaluates too, and that would count as time of training.
                *(experiment.functions.make_hooks(hparams) if estimator.config.is_chief else ()),
                ProgressHook(total, epochs.batch_size),
                SaveWhereDueHook(model_dir, is_due),
                EarlyStoppingHook(rules),
                StopTrainingHook(request),
            ]
            train_spec = tf.estimator.TrainSpec(
                experiment.batches(MODES.TRAIN), total, hooks, [FiniteVariablesListener()]
            )
            tf.estimator.train_and_evaluate(estimator, train_spec, eval_spec)
            request.raise_if_asked()
    _tell(experiment, best.best())
    for each in models:
        each.finish()


def _drawing_hooks(experiment: Experiment) -> list[tf.estimator.SessionRunHook]:
    """What draws each evaluation for TensorBoard."""
    hparams = experiment.hparams
    if not hparams.summary_confusion:
        return []
    return [ConfusionSummaryHook(hparams.class_names, experiment.estimator.eval_dir())]


def _way_on(hparams: HParams) -> str:
    """What to type to go on with a run that was stopped."""
    if hparams.clean or hparams.time_stamped:
        once = ' and without --clean' if hparams.clean else ''
        return f'the same command with --model_dir {hparams.model_dir}{once} goes on from there'
    return 'the same command goes on from there'


def _saving_rule(hparams: HParams, epochs: Epochs, total: int) -> Callable[[int, float], bool]:
    """Tells of a step, and the seconds since the last checkpoint, whether one is due after it."""
    every_epochs = hparams.epochs_between_evals
    steps, seconds = hparams.save_checkpoints_steps, hparams.save_checkpoints_secs

    def is_due(step: int, seconds_since_last: float) -> bool:
        if step == total:
            return True
        if steps:
            return step % steps == 0
        if seconds:
            return seconds_since_last >= seconds
        return epochs.ends_at(step, every_epochs)

    return is_due


def _open_run(experiment: Experiment) -> None:
    """Says what is trained on, and what differs from the last start of this run."""
    hparams, model_dir = experiment.hparams, experiment.estimator.model_dir
    saved = read_saved(model_dir)
    for change in changes(hparams, saved) if saved else ():
        say(f'changed since the last start: {change}')
    newest = experiment.estimator.latest_checkpoint()
    if hparams.warm_start_ckpt and newest:
        say(f'--warm_start_ckpt is ignored: the run goes on from its {os.path.basename(newest)}')
    train, test = experiment.train_data, experiment.eval_data
    assert train is not None
    fallback = hparams.origin('eval_split') == 'auto' and hparams.eval_split == 'test'
    why = ', as there is no validation/' if fallback else ''
    if len(train.class_names) == 1:
        say('warning: there is one class only, so there is nothing to tell apart')
    say(
        f'{train.examples} images of {len(train.class_names)} classes to train on, '
        f'{test.examples} to evaluate on ({test.folder}{why}); run: {model_dir}'
    )


def _evaluate_newest(experiment: Experiment, spec: tf.estimator.EvalSpec) -> None:
    """Evaluates and exports a checkpoint that a kill left so; train_and_evaluate never would."""
    estimator = experiment.estimator
    checkpoint = estimator.latest_checkpoint()
    say(f'{os.path.basename(checkpoint)} was never evaluated: doing that first')
    fit = CheckpointFitHook(lambda: checkpoint)
    metrics = estimator.evaluate(
        spec.input_fn, spec.steps, hooks=[fit, *spec.hooks], checkpoint_path=checkpoint
    )
    for exporter in spec.exporters:
        exporter.export(
            estimator=estimator,
            export_path='',
            checkpoint_path=checkpoint,
            eval_result=metrics,
            is_the_final_export=False,
        )


def _tell(experiment: Experiment, best: Snapshot | None) -> None:
    """The last line: how good the best checkpoint is, and where it lies."""
    if best is None:
        return
    hparams = experiment.hparams
    history = read_history(experiment.estimator.model_dir)
    metrics = [each for each in history if each['global_step'] == best.global_step]
    told = hparams.best_metric == 'accuracy' or not metrics
    accuracy = '' if told else f', accuracy {metrics[-1]["accuracy"]:.4f}'
    say(
        f'best: step {best.global_step}, {hparams.best_metric} {best.value:.4f}{accuracy} '
        f'on {experiment.eval_data.folder}, kept in {hparams.best_model_dir}'
    )
