//! Which program and which method a trace is of: what commands say that are given both.

#![cfg(unix)]

mod support;

use serde_json::Value;
use support::{Ran, etinspect, fixture, model};

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}", ran.stderr))
}

fn ran(command: &str, program: &str, trace: &str, more: &[&str]) -> Value {
    let trace = fixture("traces").join(trace);
    let program = model(program);
    let given = [program.to_str().unwrap(), "--trace", trace.to_str().unwrap()];
    json(&etinspect([command].iter().chain(&given).chain(&["--format", "json"]).chain(more)))
}

fn codes(document: &Value) -> Vec<&str> {
    let findings = document["findings"].as_array().unwrap().iter();
    let codes = findings.map(|finding| finding["code"].as_str().unwrap());
    codes.filter(|code| code.starts_with("ETF")).collect()
}

#[test]
fn a_trace_of_another_program_is_found_by_its_operators() {
    for command in ["diagnose", "report"] {
        for (program, trace) in [
            ("linear", "lstm__it10.etdp"),
            ("mv2_w010", "linear__it10.etdp"),
            ("lstm", "map_loop__it10.etdp"),
            ("linear", "xnn_cnn__it3.etdp"),
        ] {
            let document = ran(command, program, trace, &[]);
            assert_eq!(codes(&document), ["ETF002"], "{command} {program} {trace}");
        }
    }
    let verdict = ran("diagnose", "linear", "lstm__it10.etdp", &[])["verdict"]["sentence"].clone();
    assert!(verdict.as_str().unwrap().starts_with("the trace is of another program"), "{verdict}");
}

#[test]
fn traces_are_of_their_own_programs() {
    let mut pairs = 0;
    for entry in std::fs::read_dir(fixture("traces")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(program) = name.strip_suffix(".etdp").and_then(|n| n.split("__").next()) else {
            continue;
        };
        let program = program.split('.').next().unwrap();
        if !model(program).is_file() {
            continue;
        }
        let trace = fixture("traces").join(&name);
        let given = [model(program), trace].map(|path| path.to_str().unwrap().to_owned());
        let arguments = ["diagnose", &given[0], "--trace", &given[1], "--format", "json"];
        let ran = etinspect(arguments);
        // Some are damaged, which is said.
        if ran.stdout.is_empty() {
            continue;
        }
        let expected: &[&str] = if program == "multi_method_forward" { &["ETF003"] } else { &[] };
        assert_eq!(codes(&json(&ran)), expected, "{name}");
        pairs += 1;
    }
    assert!(pairs > 50, "{pairs}");
}

#[test]
fn of_methods_that_leave_the_same_trace_both_are_named() {
    let trace = "multi_method_forward.forward_x3__it3.etdp";
    for command in ["diagnose", "report"] {
        let document = ran(command, "multi_method_forward", trace, &[]);
        assert_eq!(codes(&document), ["ETF003"], "{command}");
        let named = ran(command, "multi_method_forward", trace, &["--method", "forward_x3"]);
        assert_eq!(codes(&named), [""; 0], "{command}");
    }
}

#[test]
fn a_trace_that_is_cut_off_speaks_of_the_executions_that_are_left() {
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.etdp");
    let bytes = std::fs::read(fixture("traces/linear__it10.etdp")).unwrap();
    std::fs::write(&cut, &bytes[..3000]).unwrap();
    let program = model("linear");
    let arguments = ["diagnose", program.to_str().unwrap(), "--trace", cut.to_str().unwrap()];
    let ran = etinspect(arguments.iter().chain(&["--format", "json"]));
    let verdict = json(&ran)["verdict"].clone();
    let sentence = verdict["sentence"].as_str().unwrap();
    assert!(sentence.contains("executions that are left of the trace"), "{verdict}");
    assert_eq!(verdict["confidence"], "medium");
}
