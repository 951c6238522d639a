//! `etinspect compare`: debug traces against each other, and against tensors.

#![cfg(unix)]

mod support;

use serde_json::Value;
use std::fs;
use std::path::Path;
use support::{Ran, etinspect, fixture};

fn compare(trace: &Path, reference: &Path, more: &[&str]) -> Ran {
    let files = [trace, reference].map(|path| path.to_str().unwrap().to_owned());
    let arguments = ["compare".to_owned()].into_iter().chain(files);
    etinspect(arguments.chain(more.iter().map(|&argument| argument.to_owned())))
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}", ran.stderr))
}

#[test]
fn our_runtime_agrees_with_the_real_one() {
    let folder = tempfile::tempdir().unwrap();
    for (model, values) in [("kv_cache", 30), ("norms", 12), ("mlp_stacktrace", 6)] {
        let case = fixture("models").join(model).join("io/forward/case0");
        let ours = folder.path().join(format!("{model}.etdp"));
        let mut arguments = vec!["run".into(), support::model(model).into_os_string()];
        for index in 0.. {
            let input = case.join(format!("in_{index}.npy"));
            if !input.is_file() {
                break;
            }
            arguments.extend(["--input".into(), input.into_os_string()]);
        }
        arguments.extend(["--etdump".into(), ours.clone().into_os_string()]);
        arguments.push("--debug-buffer".into());
        arguments.push(ours.with_extension("bin").into_os_string());
        assert_eq!(etinspect(arguments).status, Some(0), "{model}");
        let real = fixture("traces").join(format!("{model}__it1_dbg.etdp"));
        let ran = compare(&real, &ours, &["--format", "json"]);
        assert_eq!(ran.status, Some(0), "{model}: {}{}", ran.stdout, ran.stderr);
        let result = json(&ran);
        assert_eq!(result["values"].as_array().unwrap().len(), values, "{model}");
        assert_eq!(result["only_in_reference"], serde_json::json!([]), "{model}");
    }
}

#[test]
fn the_instruction_that_first_differs_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let trace = fixture("traces/mlp_stacktrace__it1_dbg.etdp");
    let ours = folder.path().join("a.etdp");
    fs::copy(&trace, &ours).unwrap();
    let mut values = fs::read(trace.with_extension("debug.bin")).unwrap();
    // What the first instruction that is not the first has put out: its place is in the trace.
    let shown = compare(&trace, &trace, &["--format", "json"]);
    let second = json(&shown)["values"][1].clone();
    let bytes = fs::read(&trace).unwrap();
    let file = et_schema::etdump::File::parse(&bytes).unwrap();
    let offset = et_inspector::gap::logged(&file)
        .into_iter()
        .find_map(|logged| match logged.event.value {
            Some(et_schema::etdump::Value::Tensor(tensor))
                if logged.place.instruction as i64 == second["instruction"] =>
            {
                tensor.offset()
            }
            _ => None,
        })
        .unwrap() as usize;
    values[offset..][..4].copy_from_slice(&9.0f32.to_le_bytes());
    fs::write(folder.path().join("a.bin"), &values).unwrap();

    let model = support::model("mlp_stacktrace");
    let ran = compare(&ours, &trace, &["--model", model.to_str().unwrap(), "--format", "json"]);
    assert_eq!(ran.status, Some(1), "{}", ran.stderr);
    let first = &json(&ran)["first_divergence"];
    assert_eq!(first["instruction"], second["instruction"]);
    assert_eq!(first["operator"], "aten::addmm.out");
    assert_eq!(first["outside"], 1);
    let text = compare(&ours, &trace, &["--model", model.to_str().unwrap()]);
    assert!(text.stdout.starts_with("the numbers part at 0:1 aten::addmm.out"), "{}", text.stdout);
}

#[test]
fn tensors_by_instruction_are_a_reference() {
    let folder = tempfile::tempdir().unwrap();
    let npz = folder.path().join("reference.npz");
    let trace = fixture("traces/norms__it1_dbg.etdp");
    let gap = fs::read(fixture("traces/norms__it1_dbg.gap.npz")).unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(gap)).unwrap();
    let mut writer = zip::ZipWriter::new(fs::File::create(&npz).unwrap());
    // Row k of the recorded gap is of debug handle k + 1.
    for handle in 1..=5 {
        let mut tensor = Vec::new();
        let mut entry = archive.by_name(&format!("row{}_aot.npy", handle - 1)).unwrap();
        std::io::copy(&mut entry, &mut tensor).unwrap();
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        writer.start_file(format!("{handle}.npy"), options).unwrap();
        std::io::Write::write_all(&mut writer, &tensor).unwrap();
    }
    writer.finish().unwrap();
    let record = fixture("traces/norms.etrecord");
    let more = ["--etrecord", record.to_str().unwrap(), "--format", "json"];
    let ran = compare(&trace, &npz, &more);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    let expected: Value =
        serde_json::from_slice(&fs::read(fixture("traces/norms__it1_dbg.gap.json")).unwrap())
            .unwrap();
    let result = json(&ran);
    let values = result["values"].as_array().unwrap();
    assert_eq!(values.len(), 5);
    for (row, value) in values.iter().enumerate() {
        for (metric, ours) in [("MSE", "mse"), ("L1", "l1"), ("SNR", "snr")] {
            let theirs = expected[metric][row]["gap"][0].as_f64().unwrap();
            let ours = value[ours].as_f64().unwrap();
            assert!(
                (ours - theirs).abs() <= 1e-9 * theirs.abs(),
                "{metric} {row}: {ours} {theirs}"
            );
        }
    }
}

#[test]
fn a_reference_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let npz = folder.path().join("empty.npz");
    zip::ZipWriter::new(fs::File::create(&npz).unwrap()).finish().unwrap();
    let ran = compare(&fixture("traces/norms__it1_dbg.etdp"), &npz, &[]);
    assert_eq!(ran.status, Some(2));
    assert!(support::message(&ran).contains("none of the values"), "{}", ran.stderr);
}

#[test]
fn a_trace_without_values_is_explained() {
    let trace = fixture("traces/linear__it3.etdp");
    let buffer = fixture("traces/norms__it1_dbg.debug.bin");
    let ran = compare(&trace, &trace, &["--debug-buffer", buffer.to_str().unwrap()]);
    assert_eq!(ran.status, Some(2));
    assert!(support::message(&ran).contains("no values"), "{}", ran.stderr);
    let ran = compare(&trace, &trace, &[]);
    assert!(support::message(&ran).contains("--debug-buffer"), "{}", ran.stderr);
}
