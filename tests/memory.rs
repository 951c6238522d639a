//! `etinspect memory`: predictions on the command line.

mod support;

use serde_json::Value;
use std::ffi::OsStr;
use std::path::Path;
use support::{etinspect, fixture, message, model};

fn json(args: &[&str], path: &Path) -> Value {
    let mut all = vec!["memory", path.to_str().expect("UTF-8"), "--format", "json"];
    all.extend(args);
    let ran = etinspect(&all);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

#[test]
fn document_has_every_field_of_the_contract() {
    let document = json(&["--abi", "arm32"], &model("linear"));
    assert_eq!(document["schema"], "etinspect.memory/1");
    assert_eq!(document["abi"], "arm32");
    assert_eq!(document["target"], Value::Null);
    let method = &document["methods"][0];
    assert_eq!(method["name"], "forward");
    assert_eq!(method["planned"][0]["memory_id"], 1);
    assert_eq!(method["planned"][0]["size_bytes"], 112);
    let allocator = &method["allocators"][0];
    assert_eq!(allocator["name"], "method");
    assert_eq!(allocator["used_bytes"], 484);
    assert_eq!(allocator["used_without_temp_pool_bytes"], 633);
    assert_eq!(allocator["peak_bytes"], 484);
    assert_eq!(method["allocators"][1]["name"], "temp");
    assert_eq!(method["allocators"][1]["peak_bytes"], 93);
    let first = &allocator["allocations"][0];
    for field in ["size", "align", "padding", "offset"] {
        assert!(first[field].is_u64(), "{field}");
    }
    assert_eq!(first["what"], "10 values (EValue)");
    assert_eq!(method["inputs_bytes"], 20);
    let peak = &method["peak"];
    assert_eq!(peak["instruction"], 1);
    let live = peak["live"].as_array().expect("a list");
    let sum: u64 = live.iter().map(|l| l["bytes"].as_u64().expect("bytes")).sum();
    assert_eq!(Value::from(sum), method["planned"][0]["lower_bound_bytes"]);
    assert_eq!(document["findings"], Value::Array(Vec::new()));
}

#[test]
fn the_reported_programs_need_what_the_board_printed() {
    let softmax = fixture("user_report/softmax_dim0_2x2.pte");
    let document = json(&[], &softmax);
    assert_eq!(document["methods"][0]["planned"][0]["size_bytes"], 32);
    assert_eq!(document["methods"][0]["allocators"][0]["used_bytes"], 200);
    assert_eq!(document["methods"][0]["allocators"][0]["used_in_release_0_5_bytes"], 290);
    let linear = json(&[], &fixture("user_report/toy_linear_3_3.pte"));
    assert_eq!(linear["methods"][0]["planned"][0]["size_bytes"], 144);
    let ran = etinspect([Path::new("memory"), &softmax]);
    for line in ["planned_1", "290", "release 0.5"] {
        assert!(ran.stdout.contains(line), "no {line:?} in {}", ran.stdout);
    }
}

#[test]
fn all_methods_are_shown_unless_one_is_named() {
    let path = model("multi_method_forward");
    let names = |document: &Value| -> Vec<String> {
        let methods = document["methods"].as_array().expect("a list").iter();
        methods.map(|m| m["name"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(names(&json(&[], &path)), ["forward", "forward_x3"]);
    assert_eq!(names(&json(&["--method", "forward_x3"], &path)), ["forward_x3"]);
    let ran = etinspect(["memory", path.to_str().expect("UTF-8"), "--method", "backward"]);
    assert_eq!(ran.status, Some(2));
    assert!(message(&ran).contains("\"forward\", \"forward_x3\""), "{}", ran.stderr);
}

/// Runs `program` with `args` and compares the trace with the prediction.
fn compared(program: &Path, args: &[&str]) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("trace.etdp");
    let (program_name, trace_name) = (program.to_str().unwrap(), trace.to_str().unwrap());
    let mut all = vec!["run", program_name, "--etdump", trace_name];
    all.extend(args);
    let ran = etinspect(&all);
    assert_eq!(ran.status, Some(0), "{program_name}: {}", ran.stderr);
    let mut all = vec!["--trace", trace_name];
    if let Some(at) = args.iter().position(|arg| *arg == "--method") {
        all.extend(&args[at..at + 2]);
    }
    json(&all, program)["methods"][0]["measured"].clone()
}

#[test]
fn a_run_takes_what_is_predicted_of_every_allocator() {
    for name in ["cond", "dynamic_mlp", "kv_cache", "map_loop", "q_mlp_dynamic", "transformer"] {
        for abi in ["arm32", "x86_64"] {
            let measured = compared(&model(name), &["--abi", abi]);
            assert_eq!(measured["equal"], true, "{name} {abi}: {measured:#}");
            assert_eq!(measured["abi"], abi, "{name}");
            for allocator in measured["allocators"].as_array().expect("a list") {
                assert!(allocator["measured_bytes"].is_u64(), "{name}: {allocator}");
            }
        }
    }
    let measured = compared(&model("linear"), &["--temp-pool", "10", "--abi", "arm32"]);
    assert_eq!(measured["firmware"], "temp allocator too small for looking operators up");
    assert_eq!(measured["allocators"][0]["measured_bytes"], 633);
}

#[test]
fn topk_takes_its_pairs_from_the_temp_allocator() {
    let path = fixture("kernels/aten.topk.values.bpte");
    let document = json(&["--method", "c000_f32"], &path);
    let temp = &document["methods"][0]["allocators"][1];
    assert_eq!(temp["executing"][0]["operator"], "aten::topk.values");
    let bytes = temp["executing"][0]["bytes"].as_u64().expect("bytes");
    assert_eq!(bytes % 16, 0);
    let measured = compared(&path, &["--method", "c000_f32", "--abi", "arm32"]);
    let temp = &measured["allocators"][2];
    assert_eq!(temp["name"], "temp");
    assert_eq!(temp["by_instruction"][0]["instruction"], 0, "{temp}");
    assert_eq!(temp["by_instruction"][0]["bytes"], bytes);
    assert_eq!(measured["equal"], true, "{measured:#}");
}

#[test]
fn a_trace_of_another_program_is_a_finding() {
    let trace = fixture("traces/linear__runner_alloc.etdp");
    let document = json(&["--trace", trace.to_str().unwrap()], &model("softmax"));
    assert_eq!(document["abi"], "x86_64", "of the trace");
    assert_eq!(document["methods"][0]["measured"]["equal"], false);
    let codes: Vec<&Value> =
        document["findings"].as_array().unwrap().iter().map(|f| &f["code"]).collect();
    assert_eq!(codes, ["ETM006", "ETM006"], "the method and the temp allocator");
    let silent = fixture("traces/add_mul__it3.etdp");
    let model = model("add_mul");
    let ran = etinspect([Path::new("memory"), &model, Path::new("--trace"), &silent]);
    assert_eq!(ran.status, Some(2));
    assert!(message(&ran).contains("has no allocation events"), "{}", ran.stderr);
}

#[test]
fn a_budget_is_met_until_a_limit_is_lowered() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("budget.toml");
    let (model, budget) = (model("q_cnn"), path.to_str().unwrap());
    let name = model.to_str().unwrap();
    let ran = etinspect(["memory", name, "--budget-template", "-o", budget]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let document = json(&["--budget", budget], &model);
    let limits = document["methods"][0]["budget"].as_array().expect("limits").clone();
    assert!(limits.len() > 4 && limits.iter().all(|limit| limit["met"] == true), "{limits:?}");

    let text = std::fs::read_to_string(&path).expect("the template");
    let planned = document["methods"][0]["planned"][0]["size_bytes"].as_u64().expect("bytes");
    let lower = text.replace(&format!("planned = {planned}"), "planned = '1K'");
    assert_ne!(lower, text);
    std::fs::write(&path, lower).expect("a file");
    let ran = etinspect(["memory", name, "--budget", budget]);
    assert_eq!(ran.status, Some(1));
    let over = format!("{} B OVER", planned - 1024);
    for part in ["ETM007", "methods.forward.memory.planned", &over] {
        assert!(ran.stdout.replace(',', "").contains(part), "no {part:?} in {}", ran.stdout);
    }
    let ran = etinspect(["memory", name, "--budget", budget, "--fail-on", "never"]);
    assert_eq!(ran.status, Some(0));
}

#[test]
fn a_budget_that_would_never_be_checked_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("budget.toml");
    let model = model("linear");
    for (text, part) in [
        ("[methods.backward.memory]\nplanned = 1", "expected one of \"forward\""),
        ("[memory]\nplaned = 1", "line 2: unknown field `planed`"),
        ("", "expected a limit"),
    ] {
        std::fs::write(&path, text).expect("a file");
        let ran = etinspect([Path::new("memory"), &model, Path::new("--budget"), &path]);
        assert_eq!(ran.status, Some(2), "{text}");
        assert!(message(&ran).contains(part), "{}", ran.stderr);
    }
}

#[test]
fn the_severity_that_fails_is_an_option() {
    // A plan with gaps is worth an information only.
    let (model, status) = (model("transformer"), |severity: &str, path: &Path| {
        etinspect(["memory", path.to_str().unwrap(), "--fail-on", severity]).status
    });
    assert_eq!(status("info", &model), Some(1));
    assert_eq!(status("warning", &model), Some(0));
    assert_eq!(status("error", &model), Some(0));
}

#[test]
fn every_form_of_the_result_says_the_same_peak() {
    let model = model("mv2_w010_q");
    let name = model.to_str().unwrap();
    for (format, peak) in [
        ("text", "1,044,096 B live at instruction 0:77"),
        ("html", "Peak: 1,044,096 B live at 0:77"),
        ("svg", "peak 1,044,096 B at 0:77"),
        ("markdown", "Peak: 1,044,096 B live at 0:77"),
        ("json", "\"bytes\": 1044096"),
        ("chrome", "{\"bytes\":1044096}"),
    ] {
        let ran = etinspect(["memory", name, "--format", format]);
        assert_eq!(ran.status, Some(0), "{format}: {}", ran.stderr);
        assert!(ran.stdout.contains(peak), "{format}");
        assert_eq!(ran.stderr, "", "{format}");
    }
}

#[test]
fn tracing_takes_what_the_real_runtime_wrote() {
    // linear__it3_dbg.etdp: three executions with a debug buffer.
    let recorded =
        std::fs::metadata(fixture("traces/linear__it3_dbg.etdp")).expect("a trace").len();
    let document = json(
        &["--with-etdump=3", "--with-debug-buffer", "--target", "corstone-300"],
        &model("linear"),
    );
    let method = &document["methods"][0];
    assert_eq!(method["trace"]["etdump_bytes"], recorded);
    let pools = method["fit"]["pools"].as_array().expect("pools");
    let etdump = pools.iter().find(|pool| pool["name"] == "etdump").expect("a pool");
    assert_eq!(etdump["required_bytes"], recorded);
    let settings = method["settings"]["arm_runner"].as_str().expect("a text");
    assert!(settings.contains("-DET_DEBUG_BUFFER_SIZE=0x250"), "{settings}");
    let without = json(&["--target", "corstone-300"], &model("linear"));
    assert_eq!(without["methods"][0]["trace"], Value::Null);
}

#[test]
fn every_board_says_the_same_alone_and_among_all() {
    let path = model("cm55_mv2_w010");
    let document = json(&["--all-targets"], &path);
    let boards = document["methods"][0]["boards"].as_array().expect("boards");
    assert!(boards.len() >= 25);
    let fitting = boards.iter().filter(|board| board["fits"] == true).count();
    assert!(fitting > 3 && fitting < boards.len(), "{fitting}");
    for board in boards {
        let name = board["name"].as_str().expect("a name");
        let alone = etinspect(["memory", path.to_str().unwrap(), "--target", name]);
        let status = if board["fits"] == true { 0 } else { 1 };
        assert_eq!(alone.status, Some(status), "{name}");
    }
}

#[test]
fn the_numbers_of_a_board_are_compared_and_explained() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/user_report");
    let ran = |program: &str| {
        etinspect([
            OsStr::new("memory"),
            fixtures.join(program).as_os_str(),
            OsStr::new("--log"),
            fixtures.join("softmax.log").as_os_str(),
            OsStr::new("--format"),
            OsStr::new("json"),
        ])
    };
    let own = ran("softmax_dim0_2x2.pte");
    assert_eq!(own.status, Some(0), "{}", own.stderr);
    let document: Value = serde_json::from_str(&own.stdout).expect("JSON");
    let rows = document["methods"][0]["board"].as_array().expect("rows").clone();
    let loaded = rows.iter().find(|row| row["name"] == "method_allocator_loaded").expect("a row");
    assert_eq!((&loaded["measured_bytes"], &loaded["predicted_bytes"]), (&290.into(), &290.into()));
    // The log of one program beside another: the numbers differ.
    assert!(ran("arm_add.pte").stdout.contains("\"explained\": false"));
}

#[test]
fn an_etrecord_names_the_modules_of_the_peak() {
    let record = fixture("traces/norms.etrecord");
    let model = model("norms");
    let args = ["memory".into(), model.into_os_string(), "--etrecord".into(), record.into()];
    let text = etinspect(&args).stdout;
    assert!(text.contains(" in "), "{text}");
    let json = ["--format", "json"].map(std::ffi::OsString::from);
    let ran = etinspect(args.iter().chain(&json));
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let live = document["methods"][0]["peak"]["live"].as_array().expect("a list");
    assert!(live.iter().any(|tensor| tensor["module"].is_string()), "{live:?}");
}

#[test]
fn what_a_backend_allocates_stands_at_its_place() {
    let path = fixture("models/xnn_linear/model.pte");
    let document = json(&["--abi", "x86_64"], &path);
    let method = &document["methods"][0]["allocators"][0];
    let recorded = std::fs::read(fixture("allocations/xnn_linear.alloc.json")).expect("a record");
    let recorded: Value = serde_json::from_slice(&recorded).expect("JSON");
    let used = &recorded["method_allocator_used"];
    assert_eq!(&method["used_with_backends_bytes"], used);
    // What is printed is what the pool must hold.
    let text =
        etinspect(["memory".as_ref(), path.as_os_str(), "--abi".as_ref(), "x86_64".as_ref()]);
    assert!(text.stdout.contains(&format!("method            {used} B")), "{}", text.stdout);
    let mut sizes: Vec<u64> = method["allocations"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|a| a["size"].as_u64().expect("bytes"))
        .collect();
    for own in method["backend_allocations"].as_array().expect("a list") {
        let before = own["before"].as_u64().expect("an index") as usize;
        sizes.insert(before, own["size"].as_u64().expect("bytes"));
    }
    // The last is the input's value, which preparing it takes.
    let expected: Vec<u64> = recorded["method"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|pair| pair[0].as_u64().expect("bytes"))
        .collect();
    assert_eq!(sizes, expected);
}

#[test]
fn every_suggestion_names_tensors_and_instructions() {
    let path = fixture("models/mv2_w010_q/model.pte");
    let document = json(&[], &path);
    let suggestions = document["methods"][0]["suggestions"].as_array().expect("a list").clone();
    let changes: Vec<&str> = suggestions.iter().filter_map(|s| s["change"].as_str()).collect();
    assert_eq!(changes, ["int8", "tile", "split", "in_place", "reorder", "plan"]);
    for suggestion in suggestions {
        for list in ["values", "instructions"] {
            let named = suggestion[list].as_array().expect("a list");
            assert!(!named.is_empty(), "{list} of {suggestion}");
        }
    }
}
