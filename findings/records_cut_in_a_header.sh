#!/usr/bin/env bash
# TensorFlow 2.15.1: TFRecordDataset on a file that ends too early.
#
# A record is 8 bytes of length, 4 of checksum, the data, 4 of checksum. A file cut within the data
# raises DataLossError. Seen: one that ends within the first 12 bytes of a record reads as a whole
# file, without error or warning, and so does one cut between two records: 20 of 50 records.
# Run as: bash findings/records_cut_in_a_header.sh (installs into a temporary folder; exits 1 if this has changed).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'tensorflow==2.15.1' 'numpy==1.26.4'
export TF_CPP_MIN_LOG_LEVEL=3 TF_ENABLE_ONEDNN_OPTS=0
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import tensorflow as tf

with tf.io.TFRecordWriter('whole') as writer:
    for _ in range(50):
        writer.write(bytes(100))
data = open('whole', 'rb').read()
size = len(data) // 50
seen = {}
for extra in (0, 1, 8, 11, 12, 60):
    with open('cut', 'wb') as file:
        file.write(data[: 20 * size + extra])
    try:
        seen[extra] = sum(1 for _ in tf.data.TFRecordDataset('cut'))
    except tf.errors.DataLossError:
        seen[extra] = 'DataLossError'
print('records read, by bytes of the next one:', seen)
lost = 'DataLossError'
assert seen == {0: 20, 1: 20, 8: 20, 11: 20, 12: lost, 60: lost}, seen
PY
