#!/usr/bin/env bash
# tensorflow-hub 0.16.1 in a model_fn of tf.estimator, TensorFlow 2.15.1: which variables are trained.
#
# hub.KerasLayer(trainable=True) lists its kernel in trainable_variables. Seen: on one device
# the graph's collection TRAINABLE_VARIABLES lacks it, so optimizer.minimize without var_list leaves
# the module as it was, without a word. Under MirroredStrategy the same collection holds it, also for
# KerasLayer(trainable=False), so there a frozen module would be trained.
# Run as: bash findings/hub_layer_missing_from_trainable_variables.sh (installs into a temporary folder; exits 1 if this has changed).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'tensorflow==2.15.1' 'numpy==1.26.4' 'tensorflow-hub==0.16.1' 'setuptools==80.9.0'
export TF_CPP_MIN_LOG_LEVEL=3 TF_ENABLE_ONEDNN_OPTS=0
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import logging, warnings

warnings.simplefilter('ignore')
import tensorflow as tf
import tensorflow_hub as hub

logging.disable(logging.WARNING)
net = tf.keras.Sequential([tf.keras.layers.InputLayer((3,)), tf.keras.layers.Dense(4)])
tf.saved_model.save(net, 'module')
seen = {}


def model_fn(features, mode, params):
    layer = hub.KerasLayer('module', trainable=params['trainable'])
    out = tf.compat.v1.layers.dense(layer(features), 1, name='head')
    loss = tf.reduce_mean(out**2)
    names = [each.name for each in tf.compat.v1.trainable_variables()]
    key = params['devices'], params['trainable']
    seen[key] = sum('head' not in name for name in names), len(layer.trainable_variables)
    step = tf.compat.v1.train.get_or_create_global_step()
    optimizer = tf.compat.v1.train.GradientDescentOptimizer(0.1)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=optimizer.minimize(loss, step))


def input_fn():
    return tf.data.Dataset.from_tensors(tf.ones([4, 3]))


for devices in ('one device', 'MirroredStrategy'):
    strategy = tf.distribute.MirroredStrategy(['/cpu:0']) if devices != 'one device' else None
    for trainable in (True, False):
        config = tf.estimator.RunConfig(train_distribute=strategy)
        params = {'devices': devices, 'trainable': trainable}
        tf.estimator.Estimator(model_fn, None, config, params).train(input_fn, steps=1)
for key, (in_collection, on_layer) in seen.items():
    print(*key, 'of the module in the collection:', in_collection, 'on the layer:', on_layer)
assert seen == {
    ('one device', True): (0, 2),
    ('one device', False): (0, 0),
    ('MirroredStrategy', True): (2, 2),
    ('MirroredStrategy', False): (2, 0),
}, seen
PY
