//! `etinspect explain`, through the built program.

use serde_json::Value;
use std::process::{Command, Output};

fn explain(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_etinspect")).arg("explain").args(args).output().unwrap()
}

fn stdout(args: &[&str]) -> String {
    let output = explain(args);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_error_is_found_by_name_hex_and_decimal() {
    let page = stdout(&["0x21"]);
    assert!(page.starts_with("MemoryAllocationFailed: ExecuTorch error 0x21 (decimal 33)\n"));
    assert!(page.contains("Typical causes:\n  - ") && page.contains("What to do:\n  - "));
    for name in ["33", "0X21", "memoryallocationfailed", "Error::MemoryAllocationFailed", " 33 "] {
        assert_eq!(stdout(&[name]), page, "{name}");
    }
}

#[test]
fn a_finding_is_found_by_its_code() {
    let page = stdout(&["etm001"]);
    assert!(page.starts_with("ETM001: finding, error: "), "{page}");
    assert!(page.contains("What to do:"));
}

#[test]
fn lines_fit_a_terminal() {
    for line in stdout(&["0x21"]).lines().chain(stdout(&[]).lines()) {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn without_a_code_all_are_listed() {
    let list = stdout(&[]);
    for name in ["0x00   0  Ok", "0x32  50  DelegateInvalidHandle", "ETM001", "ETR001", "ETD001"] {
        assert!(list.contains(name), "{name} is not in\n{list}");
    }
}

#[test]
fn json_has_every_page() {
    let document: Value = serde_json::from_str(&stdout(&["--format", "json"])).unwrap();
    assert_eq!(document["schema"], "etinspect.explain/1");
    let codes = document["codes"].as_array().unwrap();
    let errors: Vec<_> = codes.iter().filter(|c| c["kind"] == "error").collect();
    assert_eq!(errors.len(), 21);
    assert!(errors.iter().all(|e| !e["causes"].as_array().unwrap().is_empty()));
    assert!(errors.iter().any(|e| e["name"] == "OperatorMissing" && e["code"] == 20));
    assert!(codes.iter().any(|c| c["name"] == "ETM001" && c["severity"] == "error"));
}

#[test]
fn an_unknown_code_is_wrong_usage_with_near_ones() {
    for (code, near) in [
        ("MemoryAlocationFailed", "MemoryAllocationFailed"),
        ("ETM01", "ETM001"),
        ("0x26", "OutOfResources"),
        ("missing", "OperatorMissing"),
        ("Alocation", "MemoryAllocationFailed"),
    ] {
        let output = explain(&[code]);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        assert!(message.contains(near), "{code}: {message}");
    }
}

#[test]
fn what_the_user_typed_is_escaped() {
    let output = explain(&["\u{1b}[31mred"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!output.stderr.contains(&0x1b));
}

#[test]
fn digits_that_are_another_code_in_hex_get_a_note() {
    let output = explain(&["21"]);
    let page = String::from_utf8(output.stdout).unwrap();
    let note = String::from_utf8(output.stderr).unwrap();
    assert!(page.starts_with("RegistrationExceedingMaxKernels"), "{page}");
    assert!(note.contains("0x21 is MemoryAllocationFailed"), "{note}");
    assert!(explain(&["-q", "21"]).stderr.is_empty());
}

#[test]
fn the_result_goes_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.txt");
    assert_eq!(stdout(&["0x20", "-o", path.to_str().unwrap()]), "");
    assert!(std::fs::read_to_string(path).unwrap().starts_with("NotFound"));
}
