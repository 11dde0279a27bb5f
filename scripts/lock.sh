#!/bin/sh
# Pin and hash requirements*.in; universal locks, except CUDA's (Linux x86_64 only).
# --no-header keeps this machine's settings out of the files. Pass --upgrade for newer versions.
set -eu
cd "$(dirname "$0")/.."
export UV_SYSTEM_CERTS=1
compile() {
    .tools/bin/uv pip compile --quiet --generate-hashes --no-header "$@"
}
universal='--universal --python-version 3.11'
# shellcheck disable=SC2086  # $universal is a list of words
{
    compile $universal requirements.in -o requirements.txt "$@"
    compile $universal -c requirements.txt requirements-dev.in -o requirements-dev.txt "$@"
    compile --python-platform x86_64-manylinux_2_28 --python-version 3.11 \
        -c requirements.txt requirements-cuda.in -o requirements-cuda.txt "$@"
    # Without -c requirements.txt: Beam needs an older Pillow and python-dateutil than a run.
    compile $universal requirements-beam.in -o requirements-beam.txt "$@"
    compile --universal --python-version 3.8 requirements-uv.in -o requirements-uv.txt "$@"
}
