//! Programs with Ethos-U delegates, as a user looks at them.

mod support;

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use support::etinspect;

fn model(name: &str) -> PathBuf {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models");
    models.join(name).join("model.pte")
}

/// Output and document of a command, and its exit status.
fn document(args: &[&str]) -> (Option<i32>, Value) {
    let ran = etinspect(args);
    let value = serde_json::from_str(&ran.stdout);
    (ran.status, value.unwrap_or_else(|error| panic!("{error}: {}", ran.stderr)))
}

/// A `.npy` file of int8 elements.
fn npy(shape: &str, elements: &[i8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '|i1', 'fortran_order': False, 'shape': ({shape}), }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(elements.iter().map(|element| *element as u8));
    bytes
}

#[test]
fn streams_are_listed_to_the_last_word() {
    for name in ["u55_linear", "u55_mv2_w010", "u85_cnn_bn_relu"] {
        let path = model(name);
        let path = path.to_string_lossy();
        let (status, show) = document(&["show", &path, "--format", "json"]);
        assert_eq!(status, Some(0));
        let stream = &show["methods"][0]["delegates"][0]["command_stream"];
        assert_eq!(stream["words"], stream["decoded_words"], "{name}");
        assert_eq!(stream["faults"].as_array().map(Vec::len), Some(0), "{name}");
        let operations = stream["operations"].as_array().expect("a list");
        let macs = |operation: &Value| operation["macs"].as_u64().expect("a number");
        assert_eq!(operations.iter().map(macs).sum::<u64>(), macs(stream), "{name}");
        let listing = etinspect(["show", &*path, "--registers"]).stdout;
        let last = listing.lines().last().expect("a line");
        assert!(last.contains("NPU_OP_STOP"), "{last}");
    }
}

#[test]
fn a_stream_that_leaves_its_memory_is_a_finding_everywhere() {
    let mut bytes = fs::read(model("u55_linear")).expect("the fixture");
    let name = b"scratch_size\0";
    let block = bytes.windows(name.len()).position(|window| window == name).expect("the block");
    bytes[block + 32] = 8;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.pte");
    fs::write(&path, bytes).expect("the altered program");
    let path = path.to_string_lossy();
    for command in ["memory", "diagnose"] {
        let (_, found) = document(&[command, &path, "--format", "json"]);
        assert!(found.to_string().contains("ETD024"), "{command}: {found}");
    }
    assert!(etinspect(["show", &*path]).stdout.contains("of which 8 bytes exist"));
}

#[test]
fn given_tensors_stand_in_for_a_delegate() {
    let folder = tempfile::tempdir().expect("a folder");
    let given = folder.path().join("given.npy");
    fs::write(&given, npy("2, 3", &[127, 126, 125, 0, -1, -128])).expect("a file");
    let path = model("u55_linear");
    let (path, option) = (path.to_string_lossy(), format!("0.0={}", given.display()));
    let out = folder.path().to_string_lossy();
    let run = |option: &str| {
        let args = ["run", &*path, "--stub-delegates", "--stub-output", option];
        etinspect(args.iter().chain(&["--output-dir", &*out]))
    };
    let ran = run(&option);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let output = fs::read(folder.path().join("output_0.npy")).expect("an output");
    let floats: Vec<f32> = output[output.len() - 24..]
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().expect("4 bytes")))
        .collect();
    // Dequantized with the program's scale 0.00404372 and zero point 127.
    let expected = [0.0, -0.004_043_72, -0.008_087_44, -0.513_552_4, -0.517_596_2, -1.031_148_6];
    let close = |(found, wanted): (&f32, &f32)| (found - wanted).abs() < 1e-5;
    assert!(floats.iter().zip(&expected).all(close), "{floats:?}");
    fs::write(&given, npy("3, 2", &[0; 6])).expect("a file");
    assert!(run(&option).stderr.contains("shape [2, 3]"), "{}", run(&option).stderr);
    assert_ne!(run("7.0=x.npy").status, Some(0));
    assert!(run("nonsense").stderr.contains("D.K=FILE.npy"));
}
