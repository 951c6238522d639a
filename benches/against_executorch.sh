#!/usr/bin/env bash
# Runs models on the real ExecuTorch runtime and on ours, one thread each, and
# prints both times and their ratio.
#
#     benches/against_executorch.sh MODEL.pte [MODEL_XNNPACK.pte] ...
#
# Without arguments: the MobileNetV2 of the fixtures, as a portable program and
# delegated to XNNPACK. A program that our runtime
# cannot run (delegated to another backend than XNNPACK) is timed on the real runtime alone. The virtual
# environment with the PyPI package lies in target/executorch-venv, or where
# EXECUTORCH_VENV says.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=${EXECUTORCH_VENV:-target/executorch-venv}
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet 'executorch==1.5.1' torch numpy
fi
if [ $# -eq 0 ]; then
    set -- tests/fixtures/models/mv2_w010/model.pte tests/fixtures/models/xnn_mv2_w010_qs8/model.pte
fi
cargo build --release --locked
"$venv/bin/python" benches/against_executorch.py "${CARGO_TARGET_DIR:-target}/release/etinspect" "$@"
