#!/usr/bin/env bash
# Builds firmware/ for a bare Cortex-M55, runs its demonstrations under QEMU, and
# has `etinspect diagnose` name each culprit from a dump of the board's RAM.
#
# Needs, on Debian: rustc-web cargo-web rust-web-src gcc-arm-none-eabi
# qemu-system-arm. Other compilers with library sources: set RUSTC and CARGO.
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in qemu-system-arm arm-none-eabi-ld arm-none-eabi-nm; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed" >&2; exit 2; }
done
rustc=${RUSTC:-/usr/bin/rustc}
cargo=${CARGO:-/usr/bin/cargo}
target=${CARGO_TARGET_DIR:-$PWD/target}
(cd firmware && RUSTC=$rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$target/firmware \
    "$cargo" build --release -Z build-std=core,alloc)
elf=$target/firmware/thumbv8m.main-none-eabihf/release/etinspect-firmware
if [ -z "${ETINSPECT:-}" ]; then
    env -u RUSTC -u CARGO cargo build --quiet
    ETINSPECT=$target/debug/etinspect
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
demo=0x$(arm-none-eabi-nm "$elf" | awk '$3 == "DEMO" { print $1 }')

# Runs demonstration $1 as $2 and leaves $2.txt and $2.bin.
run() {
    local number=$1 name=$2
    # The commands for QEMU's monitor, after the board had its time.
    {
        sleep 2
        printf 'memsave 0x20000000 0x80000 "%s"\n' "$work/$name.bin"
        sleep 1
        echo quit
    } | timeout 60 qemu-system-arm -M mps3-an547 -display none -monitor stdio \
        -serial "file:$work/$name.txt" -semihosting-config enable=on,target=native \
        -device "loader,addr=$demo,data=$((number | 0x100)),data-len=4" -kernel "$elf" >/dev/null
}

# Expects that diagnose says $3 about $1 with program $2.
expect() {
    local said
    said=$("$ETINSPECT" diagnose "tests/fixtures/$2" --dump "$work/$1.bin" --elf "$elf" \
        --fail-on never)
    if ! grep -q -- "$3" <<<"$said"; then
        printf '%s: expected "%s" in\n%s\n' "$1" "$3" "$said" >&2
        exit 1
    fi
    echo "$1: $(sed -n 3p <<<"$said")"
}

run 0 softmax
run 1 hang
run 2 pool
run 3 fault
grep -q "Program complete" "$work/softmax.txt"
expect softmax user_report/softmax_dim0_2x2.pte "The execution came to its end"
expect hang user_report/toy_linear_3_3.pte "Stuck in instruction 0:1 (aten::addmm.out)"
expect pool models/mv2_w010_q/model.pte "MemoryAllocationFailed"
expect fault user_report/toy_linear_3_3.pte "aten::addmm.out"

# The board's outputs equal the host's, bit for bit.
"$ETINSPECT" run tests/fixtures/user_report/softmax_dim0_2x2.pte --output-dir "$work/host" -q -o /dev/null
host=$(tail -c 16 "$work/host/output_0.npy" | od -An -tx4 -v | tr -s ' \n' '\n' | sed '/^$/d')
board=$(sed -n 's/.*bits 0x//p' "$work/softmax.txt" | tr -d '\r')
[ "$host" = "$board" ] || { printf 'outputs differ:\n%s\n%s\n' "$host" "$board" >&2; exit 1; }
echo "outputs: equal to the host's"

# A nanosecond for each instruction makes the board's clock count them.
timeout 120 qemu-system-arm -M mps3-an547 -display none -icount shift=0 \
    -serial "file:$work/cost.txt" -semihosting-config enable=on,target=native \
    -device "loader,addr=$demo,data=4,data-len=4" -kernel "$elf" >/dev/null
cost=$(sed -n 's/^instructions per record: //p' "$work/cost.txt" | tr -d '\r')
echo "journal: ${cost:?} instructions per record"
[ "$cost" -le 60 ] || { echo "expected at most 60" >&2; exit 1; }
arm-none-eabi-size "$elf"
