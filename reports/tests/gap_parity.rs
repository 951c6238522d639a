//! The numerical gap equals the one that ExecuTorch's Inspector computed of the
//! same tensors (`calculate_numeric_gap`), to 1e-9 relative.
//!
//! With the environment variable `ETINSPECT_REFERENCES` set to a folder that has
//! `expected/`, all recorded gaps in there are checked as well.

use et_inspector::debug_data::Tensor;
use et_inspector::gap::Metrics;
use et_schema::ScalarType;
use serde_json::Value;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

const TYPES: [ScalarType; 7] = [
    ScalarType::Float,
    ScalarType::Double,
    ScalarType::Long,
    ScalarType::Int,
    ScalarType::Short,
    ScalarType::Char,
    ScalarType::Bool,
];

/// Folders with recorded gaps.
fn folders() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/traces");
    let given = std::env::var_os("ETINSPECT_REFERENCES").map(PathBuf::from);
    [own].into_iter().chain(given.map(|root| root.join("expected"))).collect()
}

/// The numbers of a recorded tensor.
fn numbers(npz: &[u8], recorded: &Value) -> Vec<f64> {
    let mut archive = zip::ZipArchive::new(Cursor::new(npz)).unwrap();
    let name = format!("{}.npy", recorded["tensor"].as_str().unwrap());
    let mut npy = Vec::new();
    archive.by_name(&name).unwrap().read_to_end(&mut npy).unwrap();
    let header = usize::from(u16::from_le_bytes([npy[8], npy[9]]));
    let sizes: Vec<i64> = serde_json::from_value(recorded["shape"].clone()).unwrap();
    let scalar_type = TYPES.into_iter().find(|t| t.name() == recorded["dtype"]).unwrap();
    let tensor = Tensor::from_elements(scalar_type, &sizes, &npy[10 + header..]).unwrap();
    tensor.numbers().unwrap()
}

/// A recorded number; those that are not finite are strings.
fn recorded(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

#[test]
fn gaps_are_the_inspectors() {
    for (folder_index, folder) in folders().into_iter().enumerate() {
        let mut checked = 0;
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let Some(trace) = name.strip_suffix(".gap.json") else { continue };
            let Ok(npz) = fs::read(folder.join(format!("{trace}.gap.npz"))) else { continue };
            let gaps: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            for metric in ["MSE", "L1", "SNR"] {
                // An object instead of rows: the Inspector itself failed.
                for row in gaps[metric].as_array().into_iter().flatten() {
                    let place = format!("{trace}, {metric} of {}", row["aot_ops"]);
                    let reference = numbers(&npz, &row["aot_intermediate_output"]);
                    let found = numbers(&npz, &row["runtime_intermediate_output"]);
                    let ours = Metrics::of(&reference, &found).expect(&place);
                    let ours = match metric {
                        "MSE" => ours.mse,
                        "L1" => ours.l1,
                        _ => ours.snr,
                    };
                    let theirs = recorded(&row["gap"][0]);
                    let close = (ours - theirs).abs() <= 1e-9 * theirs.abs();
                    let same = ours == theirs || ours.is_nan() && theirs.is_nan();
                    assert!(close || same, "{place}: {ours}, the Inspector has {theirs}");
                    checked += 1;
                }
            }
        }
        assert!(checked >= if folder_index == 0 { 20 } else { 100 }, "only {checked} gaps");
    }
}
