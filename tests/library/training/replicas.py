"""Trains a tiny model on one device or two; prints its variables as JSON. A program of its own.

Logical devices can only be made before TensorFlow has started, so a test cannot do it itself.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from library.training.multipliers import with_multipliers
from library.training.train_op import make_train_op

train = tf.compat.v1.train
OPTIMIZERS = {'sgd': train.GradientDescentOptimizer, 'adam': train.AdamOptimizer}
GLOBAL_BATCH, STEPS = 4, 3


def images():
    return np.random.default_rng(0).normal(size=[GLOBAL_BATCH * STEPS, 2]).astype(np.float32)


def model_fn(features, labels, mode, params):
    head = tf.compat.v1.get_variable('head/w', initializer=[[1.0], [2.0]])
    module = tf.compat.v1.get_variable('module/w', initializer=[3.0, -1.0])
    statistic = tf.compat.v1.get_variable(
        'module/mean',
        initializer=[0.0, 0.0],
        trainable=False,
        # As batch norm keeps its averages: each replica its own, and their mean when saved.
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.MEAN,
    )
    update = statistic.assign(tf.reduce_mean(features, axis=0))
    tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.UPDATE_OPS, update)
    loss = tf.reduce_mean(tf.square(tf.matmul(features * module, head) - labels))
    make = OPTIMIZERS[params['optimizer']]
    optimizer = with_multipliers(make, tf.constant(0.1), {'module/': 0.5})
    if params['loss_scale']:
        optimizer = tf.compat.v1.mixed_precision.MixedPrecisionLossScaleOptimizer(
            optimizer, params['loss_scale']
        )
    train_op = make_train_op(
        loss,
        optimizer,
        [head, module],
        clip_norm=params['clip_norm'],
        moving_average_decay=0.9,
    )
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def checkpoint_of(folder, replicas, **params):
    """Trains, and reads what was saved: names to values."""
    strategy = None
    if replicas > 1:
        # The default all-reduce waits for ever where there are fewer threads than replicas.
        strategy = tf.distribute.MirroredStrategy(
            ['/cpu:0', '/cpu:1'], cross_device_ops=tf.distribute.ReductionToOneDevice()
        )
    config = tf.estimator.RunConfig(
        folder,
        train_distribute=strategy,
        session_config=tf.compat.v1.ConfigProto(device_count={'CPU': 2}),
        save_summary_steps=1,
    )

    def input_fn():
        data = images()
        labels = data[:, :1] * 3
        return tf.data.Dataset.from_tensor_slices((data, labels)).batch(GLOBAL_BATCH // replicas)

    tf.estimator.Estimator(model_fn, config=config, params=params).train(input_fn)
    reader = tf.train.load_checkpoint(folder)
    return {name: reader.get_tensor(name).tolist() for name in reader.get_variable_to_shape_map()}


def norms_in(folder):
    """The gradient norms in the events, step by step."""
    (events,) = Path(folder).glob('events.out.*')
    values = [v for event in train.summary_iterator(str(events)) for v in event.summary.value]
    return [value.simple_value for value in values if value.tag.startswith('gradient_norm')]


def main(root, runs):
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices('CPU')[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    results = {'images': images().tolist()}
    for name, run in runs.items():
        folder = str(Path(root) / name)
        results[name] = {'variables': checkpoint_of(folder, **run), 'norms': norms_in(folder)}
    print(json.dumps(results))


if __name__ == '__main__':
    main(sys.argv[1], json.loads(sys.argv[2]))
