#!/usr/bin/env bash
# tf.estimator of TensorFlow 2.15.1: predict and evaluate with a layer wider than the trained one.
#
# A checkpoint of a Keras layer with 8 units is read by a model_fn whose layer has 16. A shape that
# does not fit is expected to be refused. Seen: no error and no warning; the variables take the shape
# of the checkpoint, and predictions come out 8 wide. Only a gradient step would notice.
# Run as: bash findings/estimator_takes_the_width_of_a_checkpoint.sh (installs into a temporary folder; exits 1 if this has changed).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'tensorflow==2.15.1' 'numpy==1.26.4'
export TF_CPP_MIN_LOG_LEVEL=3 TF_ENABLE_ONEDNN_OPTS=0
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import logging, tempfile
import tensorflow as tf

logging.disable(logging.WARNING)


def classifier(units):
    def model_fn(features, mode):
        out = tf.keras.layers.Dense(units, name='hidden', use_bias=False)(features)
        step = tf.compat.v1.train.get_or_create_global_step()
        optimizer = tf.compat.v1.train.GradientDescentOptimizer(0.1)
        loss = tf.reduce_mean(out**2)
        return tf.estimator.EstimatorSpec(
            mode, loss=loss, predictions={'out': out}, train_op=optimizer.minimize(loss, step)
        )

    return tf.estimator.Estimator(model_fn, 'run')


def input_fn():
    return tf.data.Dataset.from_tensors(tf.ones([4, 3]))


classifier(8).train(input_fn)
wider = classifier(16)
width = len(next(wider.predict(input_fn))['out'])
print('16 units asked for, width of the predictions:', width)
assert width == 8, width
assert wider.evaluate(input_fn)['global_step'] == 1
PY
