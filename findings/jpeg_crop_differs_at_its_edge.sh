#!/usr/bin/env bash
# TensorFlow 2.15.1: decode_and_crop_jpeg against decode_jpeg and a slice.
#
# Both decode the same file with the same options, so a window should hold the same pixels. Seen, on a
# JPEG with halved colour (4:2:0): the outermost pixels of most windows differ by up to 20 of 255 and
# more, as colour is interpolated without the neighbours outside; within the edge nothing differs.
# Run as: bash findings/jpeg_crop_differs_at_its_edge.sh (installs into a temporary folder; exits 1 if this has changed).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'tensorflow==2.15.1' 'numpy==1.26.4'
export TF_CPP_MIN_LOG_LEVEL=3 TF_ENABLE_ONEDNN_OPTS=0
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import tensorflow as tf

random = np.random.default_rng(0)
noise = random.integers(0, 255, (64, 64, 3), dtype=np.uint8)
jpeg = tf.io.encode_jpeg(noise).numpy()
whole = tf.io.decode_jpeg(jpeg).numpy().astype(int)
at_edge, inside = [], []
for y in range(0, 32, 3):
    for x in range(0, 32, 3):
        window = tf.io.decode_and_crop_jpeg(jpeg, [y, x, 30, 30]).numpy()
        difference = abs(window - whole[y : y + 30, x : x + 30])
        at_edge.append(difference.max())
        inside.append(difference[1:-1, 1:-1].max())
print('windows:', len(at_edge), 'that differ:', np.count_nonzero(at_edge), 'by at most', max(at_edge))
print('difference within the outermost pixels:', max(inside))
assert np.count_nonzero(at_edge) > len(at_edge) // 2 and max(at_edge) >= 20
assert max(inside) == 0
PY
