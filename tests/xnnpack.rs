//! Programs with XNNPACK delegates, as a user runs them.

mod support;

use serde_json::Value;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use support::etinspect;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn model(name: &str) -> PathBuf {
    fixtures().join("models").join(name).join("model.pte")
}

/// `run` of a model with the inputs of a case, and its outputs as expectations.
fn run(name: &str, case: &Path, more: &[OsString]) -> (Option<i32>, Value) {
    let mut args: Vec<OsString> = vec!["run".into(), model(name).into()];
    for (option, prefix) in [("--input", "in_"), ("--expect", "out_")] {
        for index in 0.. {
            let file = case.join(format!("{prefix}{index}.npy"));
            if !file.exists() {
                break;
            }
            args.extend([option.into(), file.into()]);
        }
    }
    args.extend(["--rtol", "1e-4", "--atol", "1e-5", "--format", "json"].map(OsString::from));
    args.extend(more.iter().cloned());
    let ran = etinspect(&args);
    (
        ran.status,
        serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}", ran.stderr)),
    )
}

#[test]
fn delegated_programs_meet_the_recorded_outputs() {
    let mut cases = 0;
    for entry in fs::read_dir(fixtures().join("models")).expect("the models") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        if !name.starts_with("xnn_") {
            continue;
        }
        let io = fixtures().join("models").join(&name).join("io/forward");
        for case in fs::read_dir(io).expect("the cases") {
            let (status, report) = run(&name, &case.expect("a case").path(), &[]);
            assert_eq!(status, Some(0), "{name}: {}", report["expect"]);
            assert_eq!(report["expect"]["ok"], true, "{name}");
            cases += 1;
        }
    }
    assert!(cases >= 14, "{cases} cases");
}

/// Names of the delegates' operations with their instruction, in order.
fn operations(trace: &Path) -> Vec<(Value, Value)> {
    let ran =
        etinspect(["events".as_ref(), trace.as_os_str(), "--format".as_ref(), "json".as_ref()]);
    let document: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let blocks = document["blocks"].as_array().expect("blocks");
    let execute = blocks.iter().find(|block| block["name"] == "Execute").expect("an execution");
    let events = execute["events"].as_array().expect("events");
    let own = events.iter().filter(|event| !event["delegate_name"].is_null());
    own.map(|event| (event["instruction"].clone(), event["delegate_name"].clone())).collect()
}

#[test]
fn operations_have_the_names_and_the_order_of_the_real_delegate() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorded = [
        ("xnn_add", "xnn_add__it3"),
        ("xnn_cnn", "xnn_cnn__it3"),
        ("xnn_inline_delegate", "xnn_inline_delegate__it3"),
        ("xnn_linear", "xnn_linear__it1"),
        ("xnn_linear_qs8", "xnn_linear_qs8__it3"),
        ("xnn_mv2_w010_qs8", "xnn_mv2_w010_qs8__it1"),
        ("xnn_transformer", "xnn_transformer__it1_dbg"),
    ];
    for (name, trace) in recorded {
        let ours = folder.path().join(format!("{name}.etdp"));
        let case = fixtures().join("models").join(name).join("io/forward/case0");
        let (status, _) = run(name, &case, &["--etdump".into(), ours.clone().into()]);
        assert_eq!(status, Some(0), "{name}");
        let real = ["traces", "xnnpack_traces"]
            .map(|folder| fixtures().join(folder).join(format!("{trace}.etdp")))
            .into_iter()
            .find(|path| path.exists())
            .expect("a recorded trace");
        let (ours, real) = (operations(&ours), operations(&real));
        assert!(!real.is_empty(), "{name}");
        assert_eq!(ours, real, "{name}");
    }
}

#[test]
fn a_backend_that_is_not_here_is_named_with_its_instruction() {
    let ran = etinspect(["run".into(), model("u55_add").into_os_string()]);
    assert_eq!(ran.status, Some(4));
    let wanted = "NotFound (0x20) at instruction 0:2 in delegate EthosUBackend";
    assert!(ran.stderr.contains(wanted), "{}", ran.stderr);
}

#[test]
fn a_stub_stands_in_for_a_backend_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("stub.etdp");
    let ran = etinspect([
        "run".into(),
        model("u55_add").into_os_string(),
        "--stub-delegates".into(),
        "--etdump".into(),
        trace.clone().into(),
        "--format".into(),
        "json".into(),
    ]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(report["findings"][0]["code"], "ETD002");
    let names: Vec<String> = operations(&trace).iter().map(|(_, name)| name.to_string()).collect();
    assert_eq!(names, ["\"stub of EthosUBackend: zeros\""]);
}

#[test]
fn the_graph_of_a_delegate_is_shown() {
    let ran = etinspect(["show".into(), model("xnn_cnn").into_os_string()]);
    assert_eq!(ran.status, Some(0));
    for wanted in [
        "delegate 0: XNNPACK graph",
        " = StaticTranspose(%0 fp32[1,3,16,16] from argument 0; order=[0, 2, 3, 1])",
        "kernel=3x3, stride=",
        "FullyConnected(",
    ] {
        assert!(ran.stdout.contains(wanted), "{wanted}\n{}", ran.stdout);
    }
    let ran = etinspect([
        "show".into(),
        model("xnn_cnn").into_os_string(),
        "--format".into(),
        "json".into(),
    ]);
    let document: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let graph = &document["methods"][0]["delegates"][1]["graph"];
    assert_eq!(graph["nodes"][0]["kind"], "FullyConnected");
    assert_eq!(graph["values"][0]["data_type"], "fp32");
}
