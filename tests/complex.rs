//! Complex numbers through the program: what the real runtime computed with
//! them, and how they are shown, written and compared.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use support::etinspect;

fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models").join(name)
}

/// The files of a case that begin with `kind`, in order, each after `option`.
fn files(model: &Path, case: usize, option: &str, kind: &str) -> Vec<String> {
    let folder = model.join(format!("io/forward/case{case}"));
    let path = |index: usize| folder.join(format!("{kind}_{index}.npy"));
    (0..)
        .map(path)
        .take_while(|path| path.exists())
        .flat_map(|path| [option.to_owned(), path.display().to_string()])
        .collect()
}

fn run(model: &Path, inputs: &[String], others: &[String]) -> support::Ran {
    let program = model.join("model.pte").display().to_string();
    etinspect([&["run".to_owned(), program], inputs, others].concat())
}

#[test]
fn programs_with_complex_tensors_give_what_the_real_runtime_gave() {
    for (name, cases) in [("spectrogram", 1), ("spectrum", 2)] {
        let model = model(name);
        for case in 0..cases {
            let inputs = files(&model, case, "--input", "in");
            let expected = files(&model, case, "--expect", "out");
            assert!(!inputs.is_empty() && !expected.is_empty(), "{name}");
            let tolerance = ["--guard", "--rtol", "1e-5", "--atol", "1e-5"].map(str::to_owned);
            let ran = run(&model, &inputs, &[&expected[..], &tolerance].concat());
            assert_eq!(ran.status, Some(0), "{name}, case {case}: {}{}", ran.stdout, ran.stderr);
        }
    }
}

#[test]
fn an_imaginary_part_that_is_wrong_is_found() {
    let model = model("spectrum");
    let folder = tempfile::tempdir().expect("a folder");
    let inputs = files(&model, 0, "--input", "in");
    let mut expected = files(&model, 0, "--expect", "out");
    let mut bytes = fs::read(&expected[1]).expect("an output");
    // The last element's imaginary part.
    let at = bytes.len() - 4;
    bytes[at..].copy_from_slice(&1e3f32.to_le_bytes());
    let changed = folder.path().join("out_0.npy");
    fs::write(&changed, bytes).expect("a writable folder");
    expected[1] = changed.display().to_string();
    let ran = run(&model, &inputs, &expected);
    assert_eq!(ran.status, Some(1), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("[2, 6, 1]"), "{}", ran.stdout);
}

#[test]
fn complex_outputs_are_shown_and_written() {
    let model = model("spectrum");
    let folder = tempfile::tempdir().expect("a folder");
    let inputs = files(&model, 1, "--input", "in");
    let output = ["--output-dir".to_owned(), folder.path().display().to_string()];
    let ran = run(&model, &inputs, &output);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert!(
        ran.stdout.contains("complex64[3, 7]  -4.74340+2.86641i  9.15482-3.59473i"),
        "{}",
        ran.stdout
    );
    let written = fs::read(folder.path().join("output_0.npy")).expect("an output");
    assert!(String::from_utf8_lossy(&written[..80]).contains("<c8"));
    assert_eq!(written.len() % 64, (3 * 7 * 8) % 64);
}
