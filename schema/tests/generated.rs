//! The committed bindings are what flatc makes of the schemas.
//!
//! Only flatc 25.12.19 makes the same text: the one that `FLATC` names, or
//! else the one on the path. Without it the test says that it was skipped.

#[path = "../codegen/src/adapt.rs"]
mod adapt;

use std::path::{Path, PathBuf};
use std::process::Command;

const VERSION: &str = "flatc version 25.12.19";
const SCHEMAS: [&str; 5] = ["program", "etdump", "bundled_program", "flat_tensor", "xnnpack"];

fn flatc() -> Option<PathBuf> {
    let flatc = std::env::var_os("FLATC").map_or_else(|| "flatc".into(), PathBuf::from);
    let version = Command::new(&flatc).arg("--version").output().ok()?;
    (String::from_utf8_lossy(&version.stdout).trim() == VERSION).then_some(flatc)
}

#[test]
fn bindings_are_current() {
    let Some(flatc) = flatc() else {
        eprintln!("skipped: no {VERSION} in FLATC or on the path");
        return;
    };
    let schema = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("generated");
    let status = Command::new(flatc)
        .args(["--rust", "--gen-all", "-o"])
        .arg(&made)
        .arg("-I")
        .arg(schema.join("fbs"))
        .args(SCHEMAS.map(|name| schema.join("fbs").join(name).with_extension("fbs")))
        .status()
        .expect("flatc runs");
    assert!(status.success(), "flatc: {status}");
    for name in SCHEMAS {
        let file = format!("{name}_generated.rs");
        let read = |folder: &Path| {
            std::fs::read_to_string(folder.join(&file)).unwrap_or_else(|e| panic!("{file}: {e}"))
        };
        assert!(
            adapt::adapt(&read(&made)) == read(&schema.join("src/generated")),
            "{file} is stale: cargo run --manifest-path schema/codegen/Cargo.toml"
        );
    }
}
