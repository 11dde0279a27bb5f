#!/usr/bin/env bash
# TensorFlow 2.15.1: decode_png(channels=4) of a grey PNG with 1, 2 or 4 bits a pixel.
#
# The file has no transparency, so each pixel should come out with opacity 255, as it does for
# 8 bits. Seen: grey is stretched to 0..255, but the opacity that is filled in is the largest value
# of the file's own bits, 1, 3 or 15. Whoever lays such a picture on white gets nearly white.
# Run as: bash findings/png_opacity_of_few_bits.sh (installs into a temporary folder; exits 1 if this has changed).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'tensorflow==2.15.1' 'numpy==1.26.4'
export TF_CPP_MIN_LOG_LEVEL=3 TF_ENABLE_ONEDNN_OPTS=0
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import struct, zlib
import tensorflow as tf


def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def grey_png(bits):
    """A PNG of 8 x 1 pixels, all of the largest value."""
    header = struct.pack('>IIBBBBB', 8, 1, bits, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1) + bytes([255]) * bits)
    body = chunk(b'IHDR', header) + chunk(b'IDAT', pixels) + chunk(b'IEND', b'')
    return bytes([137]) + b'PNG\r\n' + bytes([26]) + b'\n' + body


seen = {}
for bits in (1, 2, 4, 8):
    pixels = tf.io.decode_png(grey_png(bits), channels=4).numpy()
    assert (pixels[..., :3] == 255).all()
    seen[bits] = sorted(set(pixels[..., 3].ravel().tolist()))
print('opacity by bits:', seen)
assert seen == {1: [1], 2: [3], 4: [15], 8: [255]}, seen
PY
