#!/usr/bin/env bash
# onnx 1.19.0 beside TensorFlow 2.15.1: pip finds a set of versions, and the import fails.
#
# TensorFlow 2.15.1 wants ml-dtypes 0.3.x. onnx 1.19.0 asks for ml_dtypes without a lower bound, so pip
# installs both without complaint. Seen: `import onnx` raises AttributeError, as onnx uses a type that
# ml-dtypes has from 0.5 on. onnx 1.18.0 imports in the same environment.
# Run as: bash findings/onnx_without_its_types.sh (installs into a temporary folder; exits 1 if this has changed).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'tensorflow==2.15.1' 'numpy==1.26.4' 'onnx==1.19.0'
export TF_CPP_MIN_LOG_LEVEL=3 TF_ENABLE_ONEDNN_OPTS=0
cd "$folder"
"$folder/venv/bin/pip" check
"$folder/venv/bin/pip" list --format=freeze | grep -i -E '^(ml.dtypes|onnx)=='
seen=$({ "$folder/venv/bin/python" -c 'import onnx' 2>&1 || true; } | tail -1)
echo "onnx 1.19.0: $seen"
case $seen in AttributeError*ml_dtypes*) ;; *) exit 1 ;; esac
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'onnx==1.18.0'
"$folder/venv/bin/python" -c 'import onnx; print("onnx", onnx.__version__, "imports")'
