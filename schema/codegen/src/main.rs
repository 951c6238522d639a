//! Regenerates `schema/src/generated/` from `schema/fbs/`.
//!
//! Run from anywhere: `cargo run --manifest-path schema/codegen/Cargo.toml`.
//! It builds flatc 25.12.19 from source (a few minutes, needs `cmake`), the
//! release that fits the `flatbuffers` crate of the workspace. To use a flatc
//! that is already there, name it in `FLATC` and add `--no-default-features`.

mod adapt;

use std::path::{Path, PathBuf};
use std::{env, fs, io};

const SCHEMAS: [&str; 5] =
    ["program", "etdump", "bundled_program", "flat_tensor", "xnnpack"];

fn main() -> io::Result<()> {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("schema/").to_owned();
    let fbs = schema.join("fbs");
    let out_dir = env::args_os().nth(1).map_or_else(|| schema.join("src/generated"), PathBuf::from);
    let flatc = flatc_rust::Flatc::from_path(flatc()?);
    eprintln!("{}", flatc.version()?.version());
    fs::create_dir_all(&out_dir)?;
    let inputs: Vec<PathBuf> = SCHEMAS.iter().map(|s| fbs.join(s).with_extension("fbs")).collect();
    flatc.run(flatc_rust::Args {
        inputs: &inputs.iter().map(PathBuf::as_path).collect::<Vec<_>>(),
        out_dir: &out_dir,
        includes: &[&fbs],
        // Without it an included schema of the same namespace is not found.
        extra: &["--gen-all"],
        ..flatc_rust::Args::default()
    })?;
    for schema in SCHEMAS {
        let path = out_dir.join(format!("{schema}_generated.rs"));
        fs::write(&path, adapt::adapt(&fs::read_to_string(&path)?))?;
    }
    Ok(())
}

/// The flatc of `FLATC`, or the one that was built with this program.
fn flatc() -> io::Result<PathBuf> {
    if let Some(path) = env::var_os("FLATC") {
        return Ok(path.into());
    }
    #[cfg(feature = "build-flatc")]
    return Ok(flatc_fork::flatc().into());
    #[cfg(not(feature = "build-flatc"))]
    Err(io::Error::other("built without flatc: set FLATC to flatc 25.12.19"))
}
