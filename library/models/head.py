"""Turn features into logits: dropout, perhaps one hidden layer, and a dense layer."""

from __future__ import annotations

from etils import epy

from library.models.model import Model

with epy.lazy_imports():
    import tensorflow as tf


def add_head(
    model: Model,
    features: tf.Tensor,
    training: bool,
    dropout_rate: float,
    hidden_units: int = 0,
) -> tf.Tensor:
    """Add a classification head under the scope head/.

    Args:
      model: takes the head's variables as its own.
      features: float32 [batch, depth].
      training: dropout is on.
      dropout_rate: [0, 1), of the features and of the hidden layer.
      hidden_units: width of a ReLU layer before the last; 0 is none.

    Returns:
      float32 [batch, model.num_classes] logits.
    """
    layers = []
    with tf.compat.v1.variable_scope('head'):
        if hidden_units:
            features = stateless_dropout(features, dropout_rate, training, model.random_seed, 1)
            layers.append(_dense(hidden_units, 'relu', 'hidden', model.random_seed + 1))
            features = layers[-1](features)
        features = stateless_dropout(features, dropout_rate, training, model.random_seed, 0)
        layers.append(_dense(model.num_classes, None, 'logits', model.random_seed))
        logits = layers[-1](features)
    model.own(layers)
    return logits


def stateless_dropout(
    features: tf.Tensor, rate: float, training: bool, seed: int, salt: int
) -> tf.Tensor:
    """Drop features by a mask that follows from seed, salt and the global step.

    tf.nn.dropout keeps a state of its own, which a checkpoint does not hold: a resumed run would
    draw other masks. Each replica of a strategy takes its rows of the mask that one device would
    draw for the whole batch.

    Args:
      features: float32 [batch, depth]; of each replica as many.
      rate: [0, 1), the share that becomes 0.
      training: otherwise nothing changes.
      seed, salt: numbers that other masks follow from.

    Returns:
      Like `features`.
    """
    if not training or rate == 0:
        return features
    step = tf.cast(tf.compat.v1.train.get_or_create_global_step(), tf.int64)
    key = tf.stack([tf.constant(seed * 1000 + salt, tf.int64), step])
    replica = tf.distribute.get_replica_context()
    batch = tf.shape(features)[0]
    whole = [replica.num_replicas_in_sync * batch, features.shape[1]]
    factors = tf.nn.experimental.stateless_dropout(tf.ones(whole, features.dtype), rate, key)
    first = replica.replica_id_in_sync_group * batch
    return features * factors[first : first + batch]


def _dense(units: int, activation: str | None, name: str, seed: int) -> tf.keras.layers.Dense:
    # Keras initializers ignore the graph's seed.
    initializer = tf.keras.initializers.GlorotUniform(seed)
    return tf.keras.layers.Dense(units, activation, kernel_initializer=initializer, name=name)
