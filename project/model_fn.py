"""One graph per mode: predict, evaluate, train. The same for every model."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from library.checkpoints.newest import newest_checkpoint
from library.config.hparams import HParams
from library.hooks.answers import note_answers
from library.models.classifier import (
    class_weights,
    cross_entropy,
    evaluation_metrics,
    predictions_of,
    training_losses,
)
from library.models.model import MODEL_INPUT, Model, make_model
from library.models.options import LossOptions
from library.models.summaries import summarize_training
from library.modes.length import run_length
from library.runs.metadata import Run
from library.runtime.options import WatchOptions
from library.training.fine_tuning import in_scopes
from library.training.moving_average import averaged_scaffold
from library.training.multipliers import with_multipliers
from library.training.options import (
    OPTIMIZERS,
    SCHEDULES,
    FineTuningOptions,
    PrecisionOptions,
)
from library.training.precision import compute_in_float32, with_precision
from library.training.train_op import make_train_op
from library.training.warm_start import warm_start
from project.models import model_class
from project.optimizers import make_optimizer
from project.schedules import learning_rate

MODES = tf.estimator.ModeKeys


def model_fn(
    features: dict[str, tf.Tensor],
    labels: tf.Tensor | None,
    mode: str,
    params: HParams,
    config: tf.estimator.RunConfig,
    run: Run,
) -> tf.estimator.EstimatorSpec:
    """Builds the graph that `mode` needs.

    Args:
      features: {'image': uint8 [batch, size, size, 3]}, or {'features': float32 [batch, depth]}
        where these were computed before.
      labels: int64 [batch]; None when predicting.
      mode: a tf.estimator.ModeKeys.
      params: the run's HParams.
      config: of the Estimator.
      run: what the run found out: its classes, how many images it trains on.
    """
    # Keras initializers and stateful random operations ignore the graph's seed.
    tf.keras.utils.set_random_seed(params.random_seed)
    training = mode == MODES.TRAIN
    compute_in_float32()
    model = make_model(model_class(params.model), params, run)
    logits = _logits(model, features, training)
    predictions = predictions_of(logits, model.features)

    if mode == MODES.PREDICT:
        averaged = averaged_scaffold(params.moving_average_decay)
        return tf.estimator.EstimatorSpec(mode, predictions=predictions, scaffold=averaged)

    if mode == MODES.EVAL:
        losses = cross_entropy(logits, labels)
        metrics = evaluation_metrics(losses, labels, predictions)
        metrics |= model.metric_ops(labels, predictions)
        note_answers(labels, predictions['probabilities'])
        return tf.estimator.EstimatorSpec(
            mode,
            loss=tf.reduce_mean(losses),
            eval_metric_ops=metrics,
            scaffold=averaged_scaffold(params.moving_average_decay),
        )

    options = params.take(LossOptions)
    losses = training_losses(
        logits,
        labels,
        smoothing=options.xentropy_label_smoothing,
        weights=class_weights(options.class_weights, run.examples_per_class, run.class_names),
        l2=options.l2_regularization,
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
    train_op = _train_op(loss, rate, trained, model, params)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def _logits(model: Model, features: dict[str, tf.Tensor], training: bool) -> tf.Tensor:
    if 'features' in features:
        return model.classify(features['features'], training)
    images = model.preprocess(features['image'], training)
    # An exported model also takes what `build` takes.
    tf.compat.v1.add_to_collection(MODEL_INPUT, images)
    # Where a TF1 module is inlined, TensorFlow makes it wait for the node that it takes: fed pixels
    # would wait for files. So that node is another one than the one that is fed.
    return model.build(tf.ensure_shape(images, images.shape), training)


def _learning_rate(params: HParams, run: Run) -> tf.Tensor:
    epochs, total = run_length(params, run)
    return learning_rate(
        tf.compat.v1.train.get_or_create_global_step(),
        params.learning_rate,
        params.take(SCHEDULES[params.learning_rate_decay_type]),
        steps_per_epoch=epochs.steps_per_epoch,
        total_steps=total,
        warmup_epochs=params.warmup_epochs,
    )


def _train_op(
    loss: tf.Tensor,
    rate: tf.Tensor,
    trained: Sequence[tf.Variable],
    model: Model,
    params: HParams,
) -> tf.Operation:
    def optimizer_of(rate: tf.Tensor) -> tf.compat.v1.train.Optimizer:
        return make_optimizer(params.optimizer, rate, params.take(OPTIMIZERS[params.optimizer]))

    # Before the optimizer: its own variables are no part of the model.
    if params.warm_start_ckpt and newest_checkpoint(params.model_dir) is None:
        warm_start(params.take(FineTuningOptions), model.num_classes)
    optimizer = with_multipliers(optimizer_of, rate, model.learning_rate_multipliers)
    optimizer = with_precision(optimizer, params.take(PrecisionOptions))
    return make_train_op(
        loss,
        optimizer,
        trained,
        clip_norm=params.gradient_clip_norm,
        moving_average_decay=params.moving_average_decay,
    )
