//! `etinspect diagnose`, as a user runs it.

mod support;

use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use support::{Ran, etinspect};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn diagnose(model: &str, options: &[(&str, &Path)], format: &str) -> Ran {
    let model = fixture(model);
    let mut args = vec![OsStr::new("diagnose"), model.as_os_str()];
    for (name, path) in options {
        args.extend([OsStr::new(name), path.as_os_str()]);
    }
    args.extend([OsStr::new("--format"), OsStr::new(format)]);
    etinspect(args)
}

fn with_log(model: &str, log: &str) -> Value {
    let ran = diagnose(model, &[("--log", &fixture(log))], "json");
    serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}", ran.stderr))
}

#[test]
fn the_reported_hang_is_named_with_its_tensors() {
    let found = with_log("user_report/toy_linear_3_3.pte", "user_report/linear.log");
    assert_eq!(found["schema"], "etinspect.diagnose/1");
    assert_eq!(found["reached"], "executing");
    let hung = &found["in_flight"];
    assert_eq!((&hung["chain"], &hung["instruction"]), (&0.into(), &0.into()));
    assert_eq!(hung["operator"], "aten::permute_copy.out");
    assert_eq!(hung["or_later"], true);
    assert_eq!(hung["tensors"][1]["memory_id"], 1);
    assert_eq!(found["findings"][0]["code"], "ETH001");
    assert_eq!(found["findings"][0]["method"], "forward");
    let sentence = found["verdict"]["sentence"].as_str().expect("a sentence");
    assert!(sentence.contains("execution began, instruction 0:0"), "{sentence}");
}

#[test]
fn the_reported_failure_names_the_buffer_and_the_pool() {
    let found = with_log("models/mv2_w010_q/model.pte", "user_report/mobilenet.log");
    let first = &found["findings"][0];
    assert_eq!(first["code"], "ETM001");
    assert_eq!(first["evidence"]["requested_bytes"], 1_785_600);
    assert_eq!(first["evidence"]["pool_bytes"], 1024);
    assert_eq!(first["evidence"]["status"], "MemoryAllocationFailed (0x21)");
    let second = found["findings"][1]["evidence"]["what"].as_str().expect("what");
    assert!(second.contains("4263 values of 16 bytes"), "{second}");
    assert!(found["in_flight"].is_null());
}

#[test]
fn errors_fail_the_command_and_nothing_else_does() {
    let log = fixture("user_report/linear.log");
    let program = "user_report/toy_linear_3_3.pte";
    assert_eq!(diagnose(program, &[("--log", &log)], "text").status, Some(1));
    let never = diagnose(program, &[("--log", &log), ("--fail-on", Path::new("never"))], "text");
    assert_eq!(never.status, Some(0), "{}", never.stderr);
    let softmax = fixture("user_report/softmax.log");
    let sound = diagnose("user_report/softmax_dim0_2x2.pte", &[("--log", &softmax)], "text");
    assert_eq!(sound.status, Some(0), "{}", sound.stdout);
    assert!(sound.stdout.contains("release 0.5"), "{}", sound.stdout);
}

#[test]
fn names_of_a_log_do_not_control_the_terminal() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("uart.txt");
    let text = "I [executorch:a.cpp:1] Loading of method \u{1b}[31mx\u{202e}\u{9b} failed with status 0x21\n";
    std::fs::write(&log, text).expect("a log");
    for format in ["text", "markdown"] {
        let ran = diagnose("user_report/arm_add.pte", &[("--log", &log)], format);
        let harmful = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!ran.stdout.contains(harmful), "{:?}", ran.stdout);
    }
}

#[test]
fn a_program_alone_and_an_empty_log_are_diagnosed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("uart.txt");
    std::fs::write(&log, "").expect("a log");
    let alone = diagnose("models/softmax/model.pte", &[], "text");
    assert_eq!(alone.status, Some(0), "{}", alone.stderr);
    let empty = diagnose("models/softmax/model.pte", &[("--log", &log)], "text");
    assert_eq!(empty.status, Some(0), "{}", empty.stderr);
    assert!(empty.stdout.contains("no line of an ExecuTorch runner"), "{}", empty.stdout);
}

#[test]
fn a_file_that_is_no_firmware_is_refused() {
    let log = fixture("user_report/linear.log");
    let ran = diagnose("user_report/toy_linear_3_3.pte", &[("--elf", &log)], "text");
    assert_eq!(ran.status, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("expected an ELF file"), "{}", ran.stderr);
}

#[test]
fn a_hang_in_a_later_execution_fails_the_command() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("uart.txt");
    let line = |text: &str| format!("I [executorch:r.cpp:1 r()] {text}\n");
    let execution = line("Starting the model execution...");
    let outputs = line("Model executed successfully.") + "Output[0][0]: 0.5\n";
    std::fs::write(&log, (execution.clone() + &outputs).repeat(3) + &execution).expect("a log");
    let ran = diagnose("models/linear/model.pte", &[("--log", &log)], "json");
    assert_eq!(ran.status, Some(1), "{}", ran.stderr);
    let found: Value = serde_json::from_str(&ran.stdout).expect("a document");
    assert_eq!(found["reached"], "executing");
    assert_eq!(found["findings"][0]["code"], "ETH001");
    assert_eq!(found["findings"][0]["evidence"]["executions_ended"], 3);
    // The same without the last line is a success.
    std::fs::write(&log, (execution + &outputs).repeat(3)).expect("a log");
    assert_eq!(diagnose("models/linear/model.pte", &[("--log", &log)], "text").status, Some(0));
}
