//! Fixtures: programs, and what the real runtime recorded of them.
#![allow(dead_code)]

pub mod generate;
pub mod traces;

use serde_json::{Map, Value};
use std::fs;
use std::path::{Path, PathBuf};

/// `tests/fixtures/` of the workspace.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures")
}

/// The program of a model, or of the user report's (`v05/NAME`).
pub fn read(model: &str) -> Vec<u8> {
    let path = match model.strip_prefix("v05/") {
        Some(name) => fixtures().join("user_report").join(name).with_extension("pte"),
        None => fixtures().join("models").join(model).join("model.pte"),
    };
    fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Names of all models.
pub fn models() -> Vec<String> {
    let entries = fs::read_dir(fixtures().join("models")).unwrap();
    let mut names: Vec<String> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Allocations of the real C++ runtime, by model.
pub fn recorded() -> Map<String, Value> {
    let text = fs::read(fixtures().join("memory/recorded.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}
