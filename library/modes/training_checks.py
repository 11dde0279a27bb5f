"""Refuse, before a run trains, metrics that there are not, or a checkpoint of another model."""

from __future__ import annotations

import tensorflow as tf

from library.checkpoints.fit import check_fit, graph_variables
from library.config.hparams import HParams
from library.errors import MismatchError
from library.exporters.best_checkpoint import check_metric
from library.models.classifier import METRICS
from library.modes.device_checks import check_training_batch
from library.modes.early_stopping import metrics_asked
from library.modes.options import LoopOptions
from library.runs.kept_values import changes, read_saved
from library.runs.metadata import kept
from library.runtime.experiment import Experiment


def check_shared_batch(experiment: Experiment) -> None:
    """Raise ConfigError if the devices cannot share a batch; only now are they counted."""
    check_training_batch(experiment.hparams, experiment.distribution.replicas)


def check_model(experiment: Experiment) -> None:
    """Raise MismatchError if a finished run was started again as another model."""
    estimator = experiment.estimator
    saved = read_saved(estimator.model_dir)
    if saved and not changes(experiment.hparams, experiment.run, saved):
        return
    with tf.Graph().as_default():
        _build(experiment, tf.estimator.ModeKeys.EVAL)
        check_fit(graph_variables(), estimator.latest_checkpoint())


def check_dtype(hparams: HParams, checkpoint: str | None) -> None:
    """Raise MismatchError if the run was trained in another precision.

    Its variables are float32 in any case, so its checkpoint does not tell.

    Args:
      hparams: of this start.
      checkpoint: that the run goes on from; None if it has none.
    """
    option = hparams.entries()['dtype'].option
    before = kept(read_saved(hparams.model_dir), option) if checkpoint else None
    if before not in (None, hparams.dtype):
        raise MismatchError(
            f'{hparams.model_dir}: was trained with --dtype {before}, and not {hparams.dtype}: go '
            f'on with that, or choose another --model_dir'
        )


def check_metrics(experiment: Experiment) -> None:
    """Raise ConfigError now, and not after the first epochs, if there is no such metric."""
    asked = [(experiment.hparams.best_metric, '--best_metric')]
    asked += metrics_asked(experiment.hparams.take(LoopOptions))
    if all(metric in METRICS for metric, _ in asked):  # building the graph to look takes seconds
        return
    with tf.Graph().as_default():
        known = _build(experiment, tf.estimator.ModeKeys.EVAL).eval_metric_ops
    for metric, flag in asked:
        check_metric(metric, known, flag)


def check_training(experiment: Experiment) -> None:
    """Raise what only the training graph can tell, before the run in the folder is emptied.

    Raises:
      ConfigError: scopes, weights of classes or a precision that cannot be had.
      MismatchError: the module does not fit.
    """
    with tf.Graph().as_default():
        _build(experiment, tf.estimator.ModeKeys.TRAIN)


def _build(experiment: Experiment, mode: str) -> tf.estimator.EstimatorSpec:
    """Add the graph of a mode to the default graph."""
    dataset = experiment.batches(mode)()
    features, labels = tf.compat.v1.data.make_initializable_iterator(dataset).get_next()
    estimator = experiment.estimator
    return estimator.model_fn(features, labels, mode, estimator.config)
