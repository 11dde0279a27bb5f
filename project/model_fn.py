"""Build the graph of each mode (predict, evaluate, train), the same way for every model."""

from __future__ import annotations

import tensorflow as tf

from library.config.hparams import HParams
from library.hooks.predictions import record_predictions
from library.models.class_weights import class_weights
from library.models.classifier import evaluation_metrics, example_losses, predictions_of
from library.models.summaries import summarize_training
from library.modes.length import run_length
from library.runs.metadata import Run
from library.runtime.options import WatchOptions
from library.training.fine_tuning import in_scopes
from library.training.moving_average import averaged_scaffold
from library.training.precision import compute_in_float32
from library.training.schedule import learning_rate
from library.training.train_op import training_step
from project.losses import LossOptions, training_losses
from project.models import MODELS
from project.optimizers import OPTIMIZERS
from project.schedules import SCHEDULES

MODES = tf.estimator.ModeKeys


def model_fn(
    features: dict[str, tf.Tensor],
    labels: tf.Tensor | None,
    mode: str,
    params: HParams,
    config: tf.estimator.RunConfig,
    run: Run,
) -> tf.estimator.EstimatorSpec:
    """Build the graph that `mode` needs.

    Args:
      features: {'image': uint8 [batch, size, size, 3]}, or {'features': float32 [batch, depth]}
        where these were computed before.
      labels: int64 [batch]; None when predicting.
      mode: a tf.estimator.ModeKeys.
      params: the run's HParams.
      config: the RunConfig; the Estimator passes it, and no graph here depends on it.
      run: what the run found out: its classes, how many images it trains on.
    """
    # Keras initializers and stateful random operations ignore the graph's seed.
    tf.keras.utils.set_random_seed(params.random_seed)
    compute_in_float32()
    model = MODELS[params.model].of_run(params, run)
    logits = model.logits(features, training=mode == MODES.TRAIN)
    predictions = predictions_of(logits, model.features)

    if mode == MODES.PREDICT:
        averaged = averaged_scaffold(params.moving_average_decay)
        return tf.estimator.EstimatorSpec(mode, predictions=predictions, scaffold=averaged)

    if mode == MODES.EVAL:
        # The plain cross entropy, whatever is minimized, so that runs can be compared.
        losses = example_losses(logits, labels)
        metrics = evaluation_metrics(losses, labels, predictions)
        metrics |= model.metric_ops(labels, predictions)
        record_predictions(labels, predictions['probabilities'])
        return tf.estimator.EstimatorSpec(
            mode,
            loss=tf.reduce_mean(losses),
            eval_metric_ops=metrics,
            scaffold=averaged_scaffold(params.moving_average_decay),
        )

    losses = training_losses(
        logits,
        labels,
        params.take(LossOptions),
        weights=class_weights(params.class_weights, run.examples_per_class, run.class_names),
        kernels=model.kernels,
        other_losses=model.losses,
    )
    loss = tf.add_n(list(losses.values()))
    rate = _learning_rate(params, run)
    trained = in_scopes(model.variables_to_train, params.trainable_scopes)
    watch = params.take(WatchOptions)
    summarize_training(
        features,
        labels,
        predictions,
        losses=losses,
        learning_rate=rate,
        trained=trained,
        histograms=watch.summary_histograms,
        kernels=watch.summary_kernels,
    )
    optimizer = params.take(OPTIMIZERS[params.optimizer])
    multipliers = model.learning_rate_multipliers
    train_op = training_step(
        loss, rate, optimizer.make, trained, multipliers, model.num_classes, params
    )
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def _learning_rate(params: HParams, run: Run) -> tf.Tensor:
    epochs, total = run_length(params, run)
    return learning_rate(
        params.take(SCHEDULES[params.learning_rate_decay_type]),
        tf.compat.v1.train.get_or_create_global_step(),
        params.learning_rate,
        steps_per_epoch=epochs.steps_per_epoch,
        total_steps=total,
        warmup_epochs=params.warmup_epochs,
    )
