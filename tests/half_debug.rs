//! Debug traces of float16 and bfloat16 through the program: ExecuTorch's
//! runtime leaves them damaged, and they are read all the same.

#![cfg(unix)]

mod support;

use serde_json::Value;
use std::path::PathBuf;
use support::{Ran, etinspect, fixture};

fn case(name: &str) -> [PathBuf; 4] {
    let folder = fixture("half_debug").join(name);
    ["trace.etdp", "model.pte", "trace.debug.bin", "in_0.npy"].map(|file| folder.join(file))
}

fn run(words: &[&str], files: &[PathBuf]) -> Ran {
    let words = words.iter().map(|word| {
        let index = word.strip_prefix('@').and_then(|index| index.parse::<usize>().ok());
        index.map_or_else(|| word.into(), |index| files[index].clone().into_os_string())
    });
    etinspect(words)
}

#[test]
fn events_are_shown_with_a_warning() {
    let files = case("mixed");
    let ran = run(&["events", "@0"], &files);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("is damaged") && ran.stderr.contains("float16"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--model"), "{}", ran.stderr);
    assert!(ran.stdout.contains("Execute  3 runs"), "{}", ran.stdout);
    assert!(ran.stdout.contains("native_call_sigmoid.out"), "{}", ran.stdout);
    let shown = run(&["show", "@0", "--format", "json"], &files);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["damaged"]["events"], 62);
    assert_eq!(shown["damaged"]["runs"], 4);
    assert_eq!(shown["truncated"], Value::Null);
}

#[test]
fn values_come_from_the_buffer_by_the_program() {
    let files = case("mixed");
    let ran =
        run(&["events", "@0", "--model", "@1", "--debug-buffer", "@2", "--format", "json"], &files);
    assert!(ran.stderr.contains("15 values"), "{}", ran.stderr);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["damaged"]["events"], 62);
    let blocks = document["blocks"].as_array().unwrap();
    let events = blocks.last().unwrap()["events"].as_array().unwrap();
    let relu = events.iter().find(|event| event["name"] == "native_call_relu.out").unwrap();
    assert_eq!(relu["debug_data"][0]["dtype"], "float16", "{}", relu["debug_data"]);
    assert_eq!(relu["debug_data"][0]["shape"], serde_json::json!([3, 5]));
}

#[test]
fn devices_are_compared_with_our_runtime() {
    let cases = [("mixed", 30), ("late", 22), ("lists", 14), ("channels", 10), ("methods", 30)];
    for (name, values) in cases {
        let files = case(name);
        let strict = ["compare", "@0", "@1", "--input", "@3", "--rtol", "1e-6"];
        let ran = run(&strict, &files);
        assert_eq!(ran.status, Some(0), "{name}: {}{}", ran.stdout, ran.stderr);
        let all = format!("all {values} values are within the tolerance");
        assert!(ran.stdout.starts_with(&all), "{name}: {}", ran.stdout);
    }
}

#[test]
fn damaged_traces_are_references_as_well() {
    let files = case("late");
    let ran = run(&["compare", "@0", "@0", "--model", "@1"], &files);
    assert_eq!(ran.status, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.starts_with("all 22 values"), "{}", ran.stdout);
}

#[test]
fn other_commands_take_what_was_found() {
    let files = case("late");
    for words in [
        &["diff", "@0", "@0"][..],
        &["diagnose", "@1", "--trace", "@0"],
        &["memory", "@1", "--trace", "@0"],
    ] {
        let ran = run(words, &files);
        assert!(ran.stderr.contains("is damaged"), "{words:?}: {}{}", ran.stdout, ran.stderr);
    }
}
