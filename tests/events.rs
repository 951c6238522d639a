//! `etinspect events`: what its options say about methods and modules.

#![cfg(unix)]

mod support;

use serde_json::Value;
use std::ffi::OsString;
use std::fs;
use support::{Ran, etinspect, fixture};

fn events(trace: &str, more: &[OsString]) -> Ran {
    let trace = fixture("traces").join(trace).into_os_string();
    etinspect(["events".into(), trace].into_iter().chain(more.iter().cloned()))
}

fn options(texts: &[&str]) -> Vec<OsString> {
    texts.iter().map(OsString::from).collect()
}

#[test]
fn total_of_a_module_is_the_inspectors_when_asked() {
    let recorded = fs::read(fixture("traces/linear__it3.inspector.json")).unwrap();
    let recorded: Value = serde_json::from_slice(&recorded).unwrap();
    let record = fixture("traces/linear.etrecord").into_os_string();
    for (module, total) in recorded["find_total_for_module"].as_object().unwrap() {
        let mut more = options(&["--module", module, "--compat", "inspector", "--etrecord"]);
        more.push(record.clone());
        let ran = events("linear__it3.etdp", &more);
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        let printed: f64 = ran.stdout.trim_end_matches(" ms\n").parse().unwrap();
        let total = total.as_f64().unwrap();
        // Printed with five digits.
        assert!((printed - total).abs() <= 1e-4 * total, "{module}: {printed} {total}");
    }
}

#[test]
fn methods_that_the_trace_fits_alike_are_named() {
    let trace = "multi_method_forward.forward_x3__it3.etdp";
    let mut more = options(&["--model"]);
    more.push(support::model("multi_method_forward").into_os_string());
    let ran = events(trace, &more);
    assert_eq!(ran.status, Some(0));
    let warning = "fits method forward as well as forward_x3";
    assert!(ran.stderr.contains(warning), "{}", ran.stderr);
    assert!(ran.stdout.contains("Default of forward  1 run"), "{}", ran.stdout);

    more.extend(options(&["--method", "forward_x3"]));
    let ran = events(trace, &more);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains("Execute of forward_x3  3 runs"), "{}", ran.stdout);
}
