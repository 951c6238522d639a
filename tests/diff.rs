//! `etinspect diff`, as a user runs it.

mod support;

use serde_json::Value;
use support::{etinspect, fixture, model};

fn diff(base: &std::path::Path, new: &std::path::Path, more: &[&str]) -> String {
    let paths = [base, new].map(|path| path.to_string_lossy().into_owned());
    let args = ["diff", &paths[0], &paths[1]];
    let ran = etinspect(args.iter().chain(more));
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    ran.stdout
}

#[test]
fn a_trace_is_as_itself() {
    let trace = fixture("traces/linear__it10.etdp");
    let text = diff(&trace, &trace, &["--format", "json"]);
    let document: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(document["regression"], false);
    let changes = document["changes"].as_array().expect("a list");
    assert!(!changes.is_empty());
    assert!(changes.iter().all(|change| change["moved_to_instruction"].is_null()));
    assert!(changes.iter().all(|change| change["base_p50"] == change["new_p50"]));
}

#[test]
fn differences_of_programs_come_as_a_table_for_pull_requests() {
    let text = diff(&model("linear"), &model("mlp_viewcopy"), &["--format", "markdown"]);
    assert!(text.starts_with("## etinspect diff\n"), "{text}");
    let rows = text.lines().filter(|line| line.starts_with('|')).count();
    assert!(rows > 3, "{text}");
    let plain = diff(&model("linear"), &model("mlp_viewcopy"), &[]);
    assert_eq!(plain.lines().filter(|line| line.starts_with('|')).count(), 0);
    // A heading and the line below it come to the rows of the plain table.
    assert!(text.contains("numbers are the same"), "{text}");
}

#[test]
fn instructions_behind_a_new_one_are_matched() {
    let (base, new) = (fixture("traces/linear__it10.etdp"), fixture("traces/add_mul__it3.etdp"));
    let text = diff(&base, &new, &["--format", "json"]);
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let names: Vec<&str> = document["changes"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|change| change["name"].as_str())
        .collect();
    assert!(names.contains(&"Method::execute"), "{names:?}");
    let gone = document["gone"].as_array().expect("a list");
    assert!(gone.iter().any(|event| event["name"].as_str().is_some_and(|n| n.contains("addmm"))));
}
