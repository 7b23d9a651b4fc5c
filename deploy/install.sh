#!/bin/sh
# deploy/install.sh FOLDER: build the wheel, and install it in a new virtual environment with the versions
# (and hashes) of requirements.lock. The image is made by it, and a test runs it where there is no engine.
set -eu
target=$1
cd "$(dirname "$0")/.."
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
uv build --quiet --wheel --build-constraint requirements.lock --out-dir "$built" .
uv venv --quiet "$target"
uv pip install --quiet --python "$target/bin/python" --constraint requirements.lock \
    "$(echo "$built"/*.whl)[server,postgres,alerts,iceberg,demo]"
