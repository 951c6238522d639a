#!/usr/bin/env bash
# Checks that the crates which run on a microcontroller build for Cortex-M
# without the standard library: et-schema, etdump and et-runtime.
#
# Needs a rustc with its library sources. Debian's rustc-web, cargo-web and
# rust-web-src are such a set:  apt-get install rustc-web cargo-web rust-web-src
# Other compilers: set RUSTC and CARGO. Other targets: name them as arguments.
set -euo pipefail
cd "$(dirname "$0")/.."

rustc=${RUSTC:-/usr/bin/rustc}
cargo=${CARGO:-/usr/bin/cargo}
sources=$("$rustc" --print sysroot)/lib/rustlib/src/rust/library
if [ ! -d "$sources" ]; then
    echo "no library sources at $sources: install rustc-web, cargo-web and rust-web-src" >&2
    exit 2
fi

for target in "${@:-thumbv8m.main-none-eabihf}"; do
    echo "== $target"
    RUSTC=$rustc RUSTC_BOOTSTRAP=1 "$cargo" build --release -Z build-std=core,alloc \
        --target "$target" --target-dir target/cortex-m \
        --no-default-features -p et-schema -p etdump -p et-runtime
done
