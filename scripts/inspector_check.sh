#!/bin/sh
# Checks that ExecuTorch's own Inspector reads the traces that `etinspect run` writes, and
# finds in them the events that it finds in the real runtime's traces of the same models.
#
#   scripts/inspector_check.sh [FIXTURES]...
#
# FIXTURES is a folder with models/ and traces/ (default: tests/fixtures). Builds etinspect
# unless ETINSPECT names a built one. Installs the wheel into a virtual environment of its
# own, target/inspector (several GB, once), unless PYTHON names an interpreter that has it.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}

if [ -z "${ETINSPECT:-}" ]; then
    cargo build --release --manifest-path "$root/Cargo.toml" --bin etinspect
    ETINSPECT=$target/release/etinspect
fi

if [ -z "${PYTHON:-}" ]; then
    environment=$target/inspector
    PYTHON=$environment/bin/python
    if ! "$PYTHON" -c 'import executorch.devtools, torch' 2>/dev/null; then
        python3 -m venv "$environment"
        # The wheel does not name PyTorch as a requirement.
        "$PYTHON" -m pip install --quiet executorch==1.5.1 torch==2.15.0
    fi
fi

exec "$PYTHON" "$root/scripts/inspector_check.py" "$ETINSPECT" "${@:-$root/tests/fixtures}"
