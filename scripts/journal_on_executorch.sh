#!/usr/bin/env bash
# Runs the C++ event tracer (etdump/c/etinspect_event_tracer.h) on ExecuTorch's
# own runtime: the journal's trace must equal the ETDump of the same run, and a
# process that is killed at random moments must leave every completed
# instruction and the one in flight.
#
#   scripts/journal_on_executorch.sh PYTHON [KILLS]
#
# PYTHON has the package executorch, which brings headers and libraries.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:?the Python that has executorch}
kills=${2:-100}
package=$("$python" -c 'import executorch; print(list(executorch.__path__)[0])')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo build --quiet
etinspect=${CARGO_TARGET_DIR:-target}/debug/etinspect

gcc -O2 -Wall -Wextra -Werror -Ietdump/c -c etdump/c/etinspect_journal.c -o "$work/journal.o"
g++ -std=c++17 -O2 -w -DET_EVENT_TRACER_ENABLED -DC10_USING_CUSTOM_GENERATED_MACROS \
    -Ietdump/c -I"$package/include" -I"$package/include/executorch/runtime/core/portable_type/c10" \
    scripts/journal_runner.cpp "$work/journal.o" -o "$work/runner" -L"$package/lib" \
    -Wl,--no-as-needed -lexecutorch -lexecutorch_kernels_optimized -lexecutorch_kernels_quantized \
    -lexecutorch_backend_xnnpack -lexecutorch_threadpool -lexecutorch_etdump \
    -Wl,-rpath,"$package/lib"

for model in add_mul lstm mv2_w010 softmax; do
    program=tests/fixtures/models/$model/model.pte
    "$work/runner" "$program" "$work/$model.etj" 1048576 2 "$work/real.etdp"
    "$etinspect" recover "$work/$model.etj" --output-dir "$work/out" -q -o "$work/said.txt"
    "$python" scripts/journal_compare.py traces "$etinspect" "$work/out/$model.etdp" "$work/real.etdp"
done
"$python" scripts/journal_compare.py kills "$etinspect" "$work/runner" \
    tests/fixtures/models/mv2_w010/model.pte "$work/killed.etj" "$kills"
