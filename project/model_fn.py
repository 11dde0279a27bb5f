"""One graph per mode: predict, evaluate, train. The same for every model."""

from __future__ import annotations

import tensorflow as tf

from library.config.hparams import HParams
from library.models.classifier import (
    cross_entropy,
    evaluation_metrics,
    predictions_of,
    training_loss,
)
from library.models.options import LossOptions
from library.models.summaries import summarize_training
from library.training.optimizers import make_optimizer
from library.training.options import OPTIMIZERS
from library.training.train_op import make_train_op
from project.models import MODELS, model_class


def model_fn(
    features: dict[str, tf.Tensor], labels: tf.Tensor | None, mode: str, params: HParams
) -> tf.estimator.EstimatorSpec:
    """Builds the graph that `mode` needs.

    Args:
      features: {'image': uint8 [batch, size, size, 3]}.
      labels: int64 [batch]; None when predicting.
      mode: a tf.estimator.ModeKeys.
      params: the run's HParams.
    """
    # Keras initializers and stateful random operations ignore the graph's seed.
    tf.keras.utils.set_random_seed(params.random_seed)
    training = mode == tf.estimator.ModeKeys.TRAIN
    options = params.take(MODELS[params.model][1])
    model = model_class(params.model)(options, len(params.class_names), params.random_seed)
    logits = model.build(model.preprocess(features['image'], training), training)
    predictions = predictions_of(logits)

    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions=predictions)

    if mode == tf.estimator.ModeKeys.EVAL:
        losses = cross_entropy(logits, labels)
        metrics = evaluation_metrics(losses, labels, predictions)
        metrics |= model.metric_ops(labels, predictions)
        return tf.estimator.EstimatorSpec(
            mode, loss=tf.reduce_mean(losses), eval_metric_ops=metrics
        )

    loss_options = params.take(LossOptions)
    loss = training_loss(
        logits,
        labels,
        smoothing=loss_options.xentropy_label_smoothing,
        l2=loss_options.l2_regularization,
        kernels=model.kernels,
        other_losses=model.losses,
    )
    optimizer = make_optimizer(params.learning_rate, params.take(OPTIMIZERS[params.optimizer]))
    summarize_training(features['image'], labels, predictions, params.learning_rate)
    train_op = make_train_op(loss, optimizer, model.variables_to_train)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
