#!/usr/bin/env bash
# Builds firmware/ for a bare Cortex-M55, runs its demonstrations under QEMU, and
# has `etinspect diagnose` name each culprit from a dump of the board's RAM. Then
# it counts what the journal costs there, in Rust and in C: instructions of a
# record, bytes of code, bytes of memory beside the ring.
#
# Needs, on Debian: rustc-web cargo-web rust-web-src gcc-arm-none-eabi
# libnewlib-arm-none-eabi qemu-system-arm. Other compilers with library sources: set RUSTC and CARGO.
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in qemu-system-arm arm-none-eabi-gcc arm-none-eabi-ld arm-none-eabi-nm; do
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

# Expects that number $2 of $1 is there and at most $3.
limit() {
    echo "$1: ${2:?was not measured}"
    [ "$2" -le "$3" ] || { echo "expected at most $3" >&2; exit 1; }
}

# A nanosecond for each instruction makes the board's clock count them.
counting=(timeout 120 qemu-system-arm -M mps3-an547 -display none -monitor none -icount shift=0
    -semihosting-config enable=on,target=native)
"${counting[@]}" -serial "file:$work/cost.txt" \
    -device "loader,addr=$demo,data=4,data-len=4" -kernel "$elf" >/dev/null
cost=$(sed -n 's/^instructions per record: //p' "$work/cost.txt" | tr -d '\r')
limit "journal in Rust, instructions of a record" "$cost" 60
# Functions of the journal's writer that stand in the image by themselves. Records
# are inlined into those who write them.
bytes=$(arm-none-eabi-nm --demangle --size-sort --radix=d "$elf" |
    awk '/etdump::journal::(writer|record)/ { sum += $1 } END { print sum + 0 }')
limit "journal in Rust, bytes of code" "$bytes" 2048
handle=$(sed -n 's/^bytes of a handle: //p' "$work/cost.txt" | tr -d '\r')
limit "journal in Rust, bytes of memory beside the ring" "$handle" 64

arm() { arm-none-eabi-gcc -mcpu=cortex-m55 -mthumb -Os -Wall -Wextra -Werror -Ietdump/c "$@"; }
arm -c etdump/c/etinspect_journal.c -o "$work/journal.o"
arm -ffreestanding -nostdlib -T firmware/c/cost.ld firmware/c/cost.c "$work/journal.o" -lgcc \
    -o "$work/cost.elf"
cost=$("${counting[@]}" -serial none -kernel "$work/cost.elf" 2>&1 |
    sed -n 's/^instructions per record in C: //p')
limit "journal in C, instructions of a record" "$cost" 60
read -r code data zeros < <(arm-none-eabi-size "$work/journal.o" | awk 'NR == 2 { print $1, $2, $3 }')
limit "journal in C, bytes of code" "$code" 2048
# The handle is four pointers or numbers.
limit "journal in C, bytes of memory beside the ring" "$((data + zeros + 16))" 64
arm-none-eabi-size "$elf"
