#!/usr/bin/env bash
# Runs models on the real ExecuTorch runtime and on ours, one thread each, and
# prints the fastest and the median time of both and the ratio of the fastest; ours
# also with --fused-multiply-add. All are run in turns. A portable program is also
# compared with the same model delegated to XNNPACK, if its folder is called
# NAME_xnnpack.
#
#     benches/against_executorch.sh MODEL.pte [MODEL_XNNPACK.pte] ...
#
# Without arguments: MobileNetV2, the same quantized, the LSTM and the transformer of
# the fixtures. The virtual environment with the PyPI package lies in
# target/executorch-venv, or where EXECUTORCH_VENV says.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=${EXECUTORCH_VENV:-target/executorch-venv}
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet 'executorch==1.5.1' torch numpy
fi
if [ $# -eq 0 ]; then
    set -- tests/fixtures/models/{mv2_w010,mv2_w010_q,lstm,transformer}/model.pte
fi
cargo build --release --locked
"$venv/bin/python" benches/against_executorch.py "${CARGO_TARGET_DIR:-target}/release/etinspect" "$@"
