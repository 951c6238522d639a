//! `etinspect events`: what its options say about methods and modules.

#![cfg(unix)]

mod support;

use et_schema::ids::{ChainId, InstructionId};
use etdump::{Contents, DelegateId, EtDumpWriter, Place, Ticks, Tracer};
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

#[test]
fn of_a_loop_the_last_iteration_decides_whether_there_is_a_column_of_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("loop.etdp");
    let header = |metadata: [&[u8]; 2]| {
        let mut now = 1_000;
        let clock = move || {
            now += 10;
            Ticks(now)
        };
        let mut writer = EtDumpWriter::new(clock, Contents::InspectorCompatible);
        writer.begin_run("Execute", &[]);
        let place = Place::Instruction(ChainId(0), InstructionId(0));
        for metadata in metadata {
            let begun = writer.begin_delegate(DelegateId::Name("conv"), place);
            writer.end_delegate(DelegateId::Name("conv"), place, begun, metadata);
        }
        fs::write(&trace, writer.finish().bytes).unwrap();
        let mut arguments =
            options(&["events", "--include-delegate-debug-data", "--format", "tsv"]);
        arguments.push(trace.clone().into_os_string());
        etinspect(arguments).stdout.lines().next().unwrap().to_owned()
    };
    assert!(header([b"", b"abc"]).ends_with("delegate_debug_metadata"));
    assert!(header([b"abc", b""]).ends_with("start_time"));
}

/// A trace of `runs` runs with 100 operators each.
#[cfg(target_os = "linux")]
fn large_trace(runs: usize) -> Vec<u8> {
    let mut now = 1_000_000;
    let clock = move || {
        now += 200 + now % 97;
        Ticks(now)
    };
    let mut writer = EtDumpWriter::new(clock, Contents::InspectorCompatible);
    for _ in 0..runs {
        writer.begin_run("Execute", &[]);
        for index in 0..100 {
            let place = Place::Instruction(ChainId(0), InstructionId(index));
            let call = writer.begin("OPERATOR_CALL", place);
            let kernel = writer.begin("native_call_add.out", place);
            writer.end("native_call_add.out", place, kernel);
            writer.end("OPERATOR_CALL", place, call);
        }
    }
    writer.finish().bytes
}

#[cfg(target_os = "linux")]
#[test]
fn a_large_trace_takes_at_most_a_fifth_more_memory_than_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let peak = |runs: usize| {
        let trace = folder.path().join("large.etdp");
        let bytes = large_trace(runs);
        fs::write(&trace, &bytes).unwrap();
        let mut command = support::command();
        command.args(["events", "--format", "tsv"]).arg(&trace);
        let mut child = command.arg("-o").arg(folder.path().join("out.tsv")).spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        while child.try_wait().unwrap().is_none() {
            let text = fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let read = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
            peak = peak.max(read.unwrap_or(0) * 1024);
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        (peak, bytes.len())
    };
    let (least, _) = peak(1);
    let (most, size) = peak(4_000);
    assert!(size > 30_000_000, "{size}");
    assert!(most > least && most - least < size * 12 / 10, "{least}, then {most} of {size}");
}
