#!/usr/bin/env bash
# tf.estimator.BestExporter of TensorFlow 2.15.1: a run that is started twice.
#
# A new exporter reads the event files of earlier evaluations to learn the best loss so far. Seen: the
# first evaluation of each process is exported all the same, here a loss of 10 after one of 5, and
# counts as the best from then on: a loss of 5 is the best known, and one of 10 is what is exported.
# Run as: bash findings/best_exporter_begins_anew.sh (installs into a temporary folder; exits 1 if this has changed).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'tensorflow==2.15.1' 'numpy==1.26.4'
export TF_CPP_MIN_LOG_LEVEL=3 TF_ENABLE_ONEDNN_OPTS=0
cd "$folder"
cat > start.py <<'PY'
import logging, os, sys
import tensorflow as tf

logging.disable(logging.WARNING)


def model_fn(features, labels, mode):
    # The loss is the number of steps: it grows.
    step = tf.compat.v1.train.get_or_create_global_step()
    weight = tf.compat.v1.get_variable('weight', [], initializer=tf.zeros_initializer())
    train_op = tf.group(weight.assign_add(1.0), step.assign_add(1))
    return tf.estimator.EstimatorSpec(mode, {'out': weight + features['x']}, weight + 0.0, train_op)


def input_fn():
    return tf.data.Dataset.from_tensors(({'x': tf.zeros([1])}, tf.zeros([1]))).repeat(50)


def serving_input_receiver_fn():
    x = {'x': tf.compat.v1.placeholder(tf.float32, [None])}
    return tf.estimator.export.ServingInputReceiver(x, x)


exporter = tf.estimator.BestExporter('best', serving_input_receiver_fn)
tf.estimator.train_and_evaluate(
    tf.estimator.Estimator(model_fn, 'run'),
    tf.estimator.TrainSpec(input_fn, max_steps=int(sys.argv[1])),
    tf.estimator.EvalSpec(input_fn, 1, exporters=exporter, start_delay_secs=0, throttle_secs=0),
)
newest = max(os.listdir('run/export/best'))
loaded = tf.saved_model.load(f'run/export/best/{newest}').signatures['serving_default']
loss = float(list(loaded(x=tf.zeros([1])).values())[0][0])
print('loss of the newest export:', loss)
assert loss == float(sys.argv[1]), loss
PY
"$folder/venv/bin/python" start.py 5
sleep 1.5 # exports are named by the second
"$folder/venv/bin/python" start.py 10
