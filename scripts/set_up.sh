#!/bin/sh
# Build .venv (Python 3.11) from hashed locks. Usage: set_up.sh [--cuda | --no-cuda | --beam]
# --beam builds .venv-beam instead, for a conversion on Apache Beam; .venv stays as it is.
# Nothing outside this folder changes: the installer (uv) lives in .tools, a venv of its own.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "set-up: $1" >&2
    exit 5
}

venv=.venv
locks=requirements-dev.txt
if [ "${1:-}" = --beam ]; then
    venv=.venv-beam
    locks=requirements-beam.txt
fi
# CUDA is remembered, so that `make demo` after `make setup CUDA=1` keeps it.
cuda=$(cat $venv/cuda 2>/dev/null || echo no)
case "${1:-}" in
    --cuda) cuda=yes ;;
    --no-cuda) cuda=no ;;
esac
if [ "$cuda" = yes ]; then
    [ "$(uname -sm)" = 'Linux x86_64' ] || fail 'CUDA=1 needs Linux on x86_64'
    locks="$locks requirements-cuda.txt"
fi

# shellcheck disable=SC2086  # $locks is a list of words
stamp=$(cat $locks requirements-uv.txt | cksum)
[ "$(cat $venv/stamp 2>/dev/null || true)" = "$stamp" ] && [ -x $venv/bin/python ] && exit 0

command -v python3 >/dev/null || fail 'python3 was not found: install Python 3 with its venv module'
if [ "$(cat .tools/stamp 2>/dev/null || true)" != "$(cksum < requirements-uv.txt)" ]; then
    rm -rf .tools
    python3 -m venv .tools >/dev/null 2>&1 && [ -x .tools/bin/pip ] \
        || fail 'python3 has no venv module: install it (on Debian: apt install python3-venv)'
    .tools/bin/python -m pip install --quiet --disable-pip-version-check \
        --require-hashes -r requirements-uv.txt \
        || fail 'the installer uv could not be fetched: see the lines above'
    cksum < requirements-uv.txt > .tools/stamp
fi
export UV_SYSTEM_CERTS=1  # trust what this machine trusts, a company's own authority included
uv=.tools/bin/uv

rm -f $venv/stamp
"$uv" venv --quiet --allow-existing --python 3.11 --python-preference system $venv 2>.tools/log \
    || fail 'no Python 3.11 here, and none could be fetched (see .tools/log): install python3.11'
echo "set-up: installing from $locks (1.7 GB the first time)"
# shellcheck disable=SC2086
"$uv" pip sync --quiet --require-hashes --python $venv/bin/python $locks \
    || fail 'the packages could not be installed: see the lines above'
echo "$cuda" > $venv/cuda
echo "$stamp" > $venv/stamp
