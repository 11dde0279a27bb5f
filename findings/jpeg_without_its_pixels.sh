#!/usr/bin/env bash
# TensorFlow 2.15.1 and Pillow 13.0.0: a JPEG that ends as it should, but lacks most of its pixels.
#
# The header tells of 512 x 512 pixels, the data of 64 x 64 follow, then the end mark. Both refuse a
# JPEG without its end mark. Seen: with it both decode the file without an error, to a picture that
# is of one colour but for its first rows. TensorFlow prints a line that names no file, at every
# decoding; Pillow says nothing.
# Run as: bash findings/jpeg_without_its_pixels.sh (installs into a temporary folder; exits 1 if this has changed).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'tensorflow==2.15.1' 'numpy==1.26.4' 'pillow==13.0.0'
export TF_CPP_MIN_LOG_LEVEL=3 TF_ENABLE_ONEDNN_OPTS=0
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import io
import numpy as np
import tensorflow as tf
from PIL import Image

file = io.BytesIO()
pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
Image.fromarray(pixels).save(file, 'JPEG')
jpeg = bytearray(file.getvalue())
frame = jpeg.index(b'\xff\xc0')
jpeg[frame + 5 : frame + 9] = b'\2\0\2\0'
by_pillow = np.asarray(Image.open(io.BytesIO(jpeg)))
by_tensorflow = tf.io.decode_jpeg(bytes(jpeg), channels=3).numpy()
for pixels in (by_pillow, by_tensorflow):
    assert pixels.shape == (512, 512, 3)
    print('colours in the lower half:', len(np.unique(pixels[256:].reshape(-1, 3), axis=0)))
    assert len(np.unique(pixels[256:].reshape(-1, 3), axis=0)) == 1
PY
