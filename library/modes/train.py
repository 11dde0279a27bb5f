"""Train, evaluate after every checkpoint, keep the best; started again, go on to the same end."""

from __future__ import annotations

import os

import tensorflow as tf

from library.config.explain import changes, read_saved, save
from library.exporters.best_checkpoint import BestCheckpointExporter, check_metric
from library.exporters.evaluation_log import EvaluationLog, read_history
from library.exporters.options import BestOptions
from library.exporters.snapshots import Snapshot
from library.hooks.checkpoint_fit import CheckpointFitHook, check_fit, graph_variables
from library.hooks.checkpoint_saver import EpochCheckpointSaverHook
from library.hooks.finite import FiniteLossHook, FiniteVariablesListener
from library.hooks.progress import ProgressHook, say
from library.hooks.stop_on_signal import StopEvaluationHook, StopRequest, StopTrainingHook
from library.inputs.options import DataOptions
from library.models.classifier import METRICS
from library.modes.options import LoopOptions
from library.runtime.experiment import Experiment
from library.runtime.run_folder import mend_checkpoints, newest_step, only_trainer
from library.training.epochs import Epochs

MODES = tf.estimator.ModeKeys


def run(experiment: Experiment) -> int:
    """Trains to the end of `train_epochs`; returns the exit code.

    Raises:
      MismatchError: the run's checkpoint does not fit these options, or none can be read.
      NumericalError: the loss, or a variable, is not finite.
      ResourceError: another process trains in this folder.
      Stopped: a signal came; a checkpoint was saved.
    """
    model_dir, best_model_dir = experiment.estimator.model_dir, experiment.hparams.best_model_dir
    with only_trainer(model_dir), only_trainer(best_model_dir):
        mend_checkpoints(model_dir)
        _run(experiment)
    return 0


def _run(experiment: Experiment) -> None:
    hparams, estimator = experiment.hparams, experiment.estimator
    model_dir = estimator.model_dir
    loop = hparams.take(LoopOptions)
    assert experiment.train_data is not None
    batch_size = hparams.take(DataOptions).images_per_batch(training=True)
    epochs = Epochs(experiment.train_data.examples, batch_size)
    total = epochs.steps(loop.train_epochs)
    _check_metric(experiment)
    _open_run(experiment)
    best = BestCheckpointExporter(hparams.take(BestOptions), hparams, hparams.run_id)
    log = EvaluationLog(model_dir, best.is_best)
    with StopRequest() as request:
        eval_spec = tf.estimator.EvalSpec(
            experiment.batches(MODES.EVAL),
            steps=None,
            hooks=[StopEvaluationHook(request)],
            exporters=[best, log],
            start_delay_secs=0,
            throttle_secs=0,
        )
        step = newest_step(model_dir)
        due = step > 0 and (step >= total or epochs.ends_at(step, loop.epochs_between_evals))
        if due and not log.has(step):
            _evaluate_newest(experiment, eval_spec)
        if step >= total:
            _check_fit(experiment)
            say(f'step {step}: all {loop.train_epochs} epochs are trained already')
        else:
            hooks = [
                # Before the saver: what is not finite must not be saved.
                FiniteLossHook(),
                CheckpointFitHook(estimator.latest_checkpoint, lambda: save(hparams, model_dir)),
                EpochCheckpointSaverHook(
                    model_dir,
                    lambda step: epochs.ends_at(step, loop.epochs_between_evals) or step == total,
                ),
                ProgressHook(total, batch_size),
                StopTrainingHook(request),
            ]
            train_spec = tf.estimator.TrainSpec(
                experiment.batches(MODES.TRAIN), total, hooks, [FiniteVariablesListener()]
            )
            tf.estimator.train_and_evaluate(estimator, train_spec, eval_spec)
            request.raise_if_asked()
    _tell(experiment, best.best())


def _open_run(experiment: Experiment) -> None:
    """Says what is trained on, and what differs from the last start of this run."""
    hparams, model_dir = experiment.hparams, experiment.estimator.model_dir
    saved = read_saved(model_dir)
    for change in changes(hparams, saved) if saved else ():
        say(f'changed since the last start: {change}')
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


def _check_fit(experiment: Experiment) -> None:
    """Raises MismatchError if a finished run was started again as another model."""
    estimator = experiment.estimator
    saved = read_saved(estimator.model_dir)
    if saved and not changes(experiment.hparams, saved):
        return
    with tf.Graph().as_default():
        _build_evaluation(experiment)
        check_fit(graph_variables(), estimator.latest_checkpoint())


def _check_metric(experiment: Experiment) -> None:
    """Raises ConfigError now, and not after the first epochs, if there is no such metric."""
    metric = experiment.hparams.best_metric
    if metric not in METRICS:  # building the graph to look takes seconds
        with tf.Graph().as_default():
            check_metric(metric, _build_evaluation(experiment).eval_metric_ops)


def _build_evaluation(experiment: Experiment) -> tf.estimator.EstimatorSpec:
    """Adds the graph of an evaluation to the default graph."""
    dataset = experiment.batches(MODES.EVAL)()
    features, labels = tf.compat.v1.data.make_initializable_iterator(dataset).get_next()
    estimator = experiment.estimator
    return estimator.model_fn(features, labels, MODES.EVAL, estimator.config)


def _evaluate_newest(experiment: Experiment, spec: tf.estimator.EvalSpec) -> None:
    """Evaluates and exports a checkpoint that a kill left so; train_and_evaluate never would."""
    estimator = experiment.estimator
    checkpoint = estimator.latest_checkpoint()
    say(f'{os.path.basename(checkpoint)} was never evaluated: doing that first')
    fit = CheckpointFitHook(lambda: checkpoint)
    metrics = estimator.evaluate(
        spec.input_fn, hooks=[fit, *spec.hooks], checkpoint_path=checkpoint
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
