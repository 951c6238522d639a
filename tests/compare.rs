//! `etinspect compare`: debug traces against each other, and against tensors.

#![cfg(unix)]

mod support;

use et_runtime::{LoadOptions, Method, Program};
use et_schema::pte;
use etdump::{Contents, DebugLevel, EtDumpWriter, SystemClock};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
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
fn our_runtime_is_the_reference_in_one_command() {
    for model in ["kv_cache", "norms", "mlp_stacktrace", "xnn_cnn"] {
        let case = fixture("models").join(model).join("io/forward/case0");
        let inputs = (0..).map(|index| case.join(format!("in_{index}.npy")));
        let inputs: Vec<PathBuf> = inputs.take_while(|path| path.is_file()).collect();
        let mut more: Vec<&str> = vec!["--format", "json"];
        more.extend(inputs.iter().flat_map(|path| ["--input", path.to_str().unwrap()]));
        let real = fixture("traces").join(format!("{model}__it1_dbg.etdp"));
        let ran = compare(&real, &support::model(model), &more);
        assert_eq!(ran.status, Some(0), "{model}: {}{}", ran.stdout, ran.stderr);
        let result = json(&ran);
        assert_eq!(result["only_in_reference"], serde_json::json!([]), "{model}");
        assert_eq!(result["without_reference"], serde_json::json!([]), "{model}");
        // Operators are named without --model.
        let operators = result["values"].as_array().unwrap().iter().map(|v| v["operator"].as_str());
        assert!(operators.flatten().any(|name| name.contains("::") || name == "XnnpackBackend"));

        // On other inputs the numbers part, and where they do is said.
        let ran = compare(&real, &support::model(model), &[]);
        assert_eq!(ran.status, Some(1), "{model}: {}", ran.stderr);
        assert!(ran.stdout.starts_with("the numbers part at 0:"), "{model}: {}", ran.stdout);
    }
}

#[test]
fn inputs_without_a_program_are_a_wrong_usage() {
    let trace = fixture("traces/norms__it1_dbg.etdp");
    let ran = compare(&trace, &trace, &["--input", "1"]);
    assert_eq!(ran.status, Some(2));
    assert!(support::message(&ran).contains(".pte"), "{}", ran.stderr);
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

/// A recorded `calculate_numeric_gap`: its rows by metric, and the tensors of PyTorch.
struct RecordedGap {
    trace: PathBuf,
    record: PathBuf,
    rows: Value,
    tensors: Vec<u8>,
}

impl RecordedGap {
    /// All that are in the fixtures, and in the folder `ETINSPECT_REFERENCES` if it is set.
    fn all() -> Vec<RecordedGap> {
        let own = fixture("traces");
        let mut places = vec![(own.clone(), vec![own])];
        if let Some(root) = std::env::var_os("ETINSPECT_REFERENCES").map(PathBuf::from) {
            places.push((
                root.join("expected"),
                vec![root.join("etdumps"), root.join("large/etdumps")],
            ));
        }
        let mut all = Vec::new();
        for (expected, traces) in places {
            for entry in fs::read_dir(&expected).unwrap() {
                let path = entry.unwrap().path();
                let file = path.file_name().unwrap().to_str().unwrap();
                let Some((name, _)) = file.split_once(".gap.json") else { continue };
                let model = name.split("__").next().unwrap();
                let find = |file: String| {
                    traces.iter().map(|folder| folder.join(&file)).find(|path| path.is_file())
                };
                let Ok(tensors) = fs::read(expected.join(format!("{name}.gap.npz"))) else {
                    continue;
                };
                let rows = serde_json::from_slice(&unpacked(&path)).unwrap();
                let (trace, record) =
                    (find(format!("{name}.etdp")), find(format!("{model}.etrecord")));
                all.push(RecordedGap {
                    trace: trace.unwrap(),
                    record: record.unwrap(),
                    rows,
                    tensors,
                });
            }
        }
        all
    }

    /// Names of the rows' tensors: debug handles, with the number of the output if several rows
    /// have the same. The Inspector has the last output first.
    fn names(&self) -> Vec<String> {
        let rows = self.rows["MSE"].as_array().unwrap();
        let handles: Vec<String> = rows
            .iter()
            .map(|row| {
                let handles = row["aot_debug_handle"].as_array().unwrap().iter();
                handles.map(Value::to_string).collect::<Vec<_>>().join(",")
            })
            .collect();
        let later =
            |index: usize| handles[index + 1..].iter().filter(|h| **h == handles[index]).count();
        let several = |name: &String| handles.iter().filter(|h| *h == name).count() > 1;
        let name = |(index, name): (usize, &String)| match several(name) {
            true => format!("{name}#{}", later(index)),
            false => name.clone(),
        };
        handles.iter().enumerate().map(name).collect()
    }

    /// Writes PyTorch's tensors under `names`.
    fn write_reference(&self, names: &[String], npz: &Path) {
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&self.tensors)).unwrap();
        let mut writer = zip::ZipWriter::new(fs::File::create(npz).unwrap());
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        for (row, name) in names.iter().enumerate() {
            let mut entry = archive.by_name(&format!("row{row}_aot.npy")).unwrap();
            writer.start_file(format!("{name}.npy"), options).unwrap();
            std::io::copy(&mut entry, &mut writer).unwrap();
        }
        writer.finish().unwrap();
    }
}

fn unpacked(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    if path.extension().is_none_or(|ending| ending != "gz") {
        return bytes;
    }
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut unpacked)
        .unwrap();
    unpacked
}

/// A recorded number; JSON has no infinities.
fn number(value: &Value) -> f64 {
    let text = |text: &str| text.trim_start_matches('+').to_lowercase().parse().unwrap();
    value.as_f64().unwrap_or_else(|| text(value.as_str().unwrap()))
}

#[test]
fn numerical_gap_is_the_inspectors() {
    let folder = tempfile::tempdir().unwrap();
    let npz = folder.path().join("reference.npz");
    let mut rows = 0;
    for gap in RecordedGap::all() {
        // What it puts out depends on the runs before.
        if gap.record.ends_with("counter.etrecord") {
            continue;
        }
        let names = gap.names();
        gap.write_reference(&names, &npz);
        let more = ["--etrecord", gap.record.to_str().unwrap(), "--compat", "inspector"];
        let ran = compare(&gap.trace, &npz, &[&more[..], &["--format", "json"]].concat());
        assert!(ran.status.is_some_and(|status| status < 2), "{}", ran.stderr);
        assert_eq!(ran.stderr, "", "{}", gap.trace.display());
        let result = json(&ran);
        let values = result["values"].as_array().unwrap();
        for (row, name) in names.iter().enumerate() {
            let theirs =
                ["MSE", "L1", "SNR"].map(|metric| number(&gap.rows[metric][row]["gap"][0]));
            let same = |value: &Value| {
                let near = |(ours, theirs): (&str, f64)| {
                    let ours = number(&value[ours]);
                    // Near 0 dB the logarithm has no digits left.
                    ours == theirs
                        || (ours.is_nan() && theirs.is_nan())
                        || (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1e-5)
                };
                !value["mse"].is_null() && ["mse", "l1", "snr"].into_iter().zip(theirs).all(near)
            };
            let trace = gap.trace.display();
            assert!(values.iter().any(same), "{trace}, {name}: none of {values:#?} is {theirs:?}");
            rows += 1;
        }
    }
    assert!(rows >= 25, "only {rows}");
    eprintln!("{rows} rows");
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

/// The values of a comparison by run, chain, instruction, delegate operation, position and element.
fn by_place(result: &Value) -> std::collections::BTreeMap<String, Value> {
    let place = |value: &Value| {
        ["run", "chain", "instruction", "delegate_id", "position", "element"]
            .map(|field| value[field].to_string())
            .join(" ")
    };
    let values = result["values"].as_array().unwrap().iter();
    values.map(|value| (place(value), value.clone())).collect()
}

#[test]
fn of_a_trace_that_is_cut_off_what_is_there_is_compared() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // A loop, a delegate that logs its inputs too, a model with state, one after the other.
    for (model, iterations) in [("map_loop", 1), ("xnn_cnn", 2), ("kv_cache", 3)] {
        let case = fixture("models").join(model).join("io/forward/case0");
        let inputs = (0..).map(|index| case.join(format!("in_{index}.npy")));
        let inputs: Vec<PathBuf> = inputs.take_while(|path| path.is_file()).collect();
        let inputs: Vec<&str> =
            inputs.iter().flat_map(|path| ["--input", path.to_str().unwrap()]).collect();
        let (whole, cut) = (path("whole.etdp"), path("cut.etdp"));
        let program = support::model(model);
        let mut run: Vec<&str> = vec!["run", program.to_str().unwrap(), "--etdump"];
        let (buffer, count) = (path("whole.bin"), iterations.to_string());
        run.extend([whole.to_str().unwrap(), "--debug-buffer", buffer.to_str().unwrap()]);
        run.extend(["--iterations", &count]);
        run.extend(&inputs);
        assert_eq!(etinspect(run).status, Some(0), "{model}");
        fs::copy(&buffer, path("cut.bin")).unwrap();
        let all = by_place(&json(&compare(&whole, &whole, &["--format", "json"])));
        assert!(all.len() > 3, "{model}");

        let bytes = fs::read(&whole).unwrap();
        let mut sizes = Vec::new();
        for percent in [40, 50, 60, 70, 80, 90, 95] {
            fs::write(&cut, &bytes[..bytes.len() * percent / 100]).unwrap();
            let mut program_as_reference = inputs.clone();
            program_as_reference.extend(["--format", "json"]);
            for (reference, more) in
                [(&whole, &["--format", "json"][..]), (&program, &program_as_reference)]
            {
                let ran = compare(&cut, reference, more);
                let what = format!("{model}, {percent} %: {}{}", ran.stdout, ran.stderr);
                assert!(ran.stderr.contains("cut off"), "{what}");
                if ran.status == Some(2) {
                    assert!(ran.stderr.contains("no values lie before"), "{what}");
                    continue;
                }
                assert_eq!(ran.status, Some(0), "{what}");
                let result = json(&ran);
                let found = by_place(&result);
                assert!(found.len() <= all.len(), "{what}");
                assert_eq!(result["without_reference"], serde_json::json!([]), "{what}");
                // What is there has the places that it has in the whole trace.
                for (place, value) in &found {
                    assert_eq!(all[place]["shape"], value["shape"], "{what}");
                }
                let missing = result["only_in_reference"].as_array().unwrap();
                assert_eq!(missing.is_empty(), found.len() == all.len(), "{what}");
                sizes.push(found.len());
            }
        }
        assert!(sizes.len() > 6 && sizes.last() > sizes.first(), "{model}: {sizes:?}");
        assert!(sizes.iter().any(|size| *size < all.len()), "{model}: {sizes:?}");
    }
}

#[test]
fn a_value_that_is_wrong_is_found_in_a_trace_that_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let trace = fixture("traces/norms__it1_dbg.etdp");
    let cut = folder.path().join("cut.etdp");
    let bytes = fs::read(&trace).unwrap();
    fs::write(&cut, &bytes[..bytes.len() * 7 / 10]).unwrap();
    let mut values = fs::read(trace.with_extension("debug.bin")).unwrap();
    let buffer = folder.path().join("cut.bin");
    fs::write(&buffer, &values).unwrap();
    let right = compare(&cut, &trace, &["--format", "json"]);
    assert_eq!(right.status, Some(0), "{}{}", right.stdout, right.stderr);
    let whole = compare(&trace, &trace, &["--format", "json"]);
    let count = |ran: &Ran| json(ran)["values"].as_array().unwrap().len();
    assert!(count(&right) > 1 && count(&right) < count(&whole), "{}", right.stdout);
    // The reference may be the one that is cut off.
    let other = compare(&trace, &cut, &["--format", "json"]);
    assert_eq!((other.status, count(&other)), (Some(0), count(&right)), "{}", other.stderr);

    values.fill(0x41);
    fs::write(&buffer, &values).unwrap();
    let ran = compare(&cut, &trace, &["--format", "json"]);
    assert_eq!(ran.status, Some(1), "{}", ran.stderr);
    let first = json(&right)["values"][0]["instruction"].clone();
    assert_eq!(json(&ran)["first_divergence"]["instruction"], first);
}

/// Two methods in turns, twice each, on inputs of ones.
fn methods_in_turns(program: &[u8], etdump: &Path, debug_buffer: &Path) {
    let program = Program::new(pte::File::parse(program).unwrap());
    let mut trace = EtDumpWriter::new(SystemClock::default(), Contents::Full);
    trace.log_values(DebugLevel::IntermediateOutputs, None);
    let mut methods = ["mixed", "double"]
        .map(|name| Method::load(&program, name, LoadOptions::default(), &mut trace).unwrap());
    for _ in 0..2 {
        for method in &mut methods {
            method.set_inputs_to_ones().unwrap();
            method.execute(&mut trace).unwrap();
        }
    }
    let trace = trace.finish();
    fs::write(etdump, &trace.bytes).unwrap();
    fs::write(debug_buffer, &trace.debug_buffer).unwrap();
}

#[test]
fn each_run_of_a_trace_that_is_cut_off_is_of_its_own_method() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (whole, cut) = (path("whole.etdp"), path("cut.etdp"));
    let program = fixture("half_debug/methods/model.pte");
    methods_in_turns(&fs::read(&program).unwrap(), &whole, &path("whole.bin"));
    fs::copy(path("whole.bin"), path("cut.bin")).unwrap();
    let all = compare(&whole, &program, &["--format", "json"]);
    assert_eq!(all.status, Some(0), "{}{}", all.stdout, all.stderr);
    let all = by_place(&json(&all));
    let bytes = fs::read(&whole).unwrap();
    let mut runs = std::collections::BTreeSet::new();
    for percent in (40..100).step_by(4) {
        fs::write(&cut, &bytes[..bytes.len() * percent / 100]).unwrap();
        let ran = compare(&cut, &program, &["--format", "json"]);
        let what = format!("{percent} %: {}{}", ran.stdout, ran.stderr);
        if ran.status == Some(2) {
            assert!(ran.stderr.contains("no values lie before"), "{what}");
            continue;
        }
        assert_eq!(ran.status, Some(0), "{what}");
        let result = json(&ran);
        assert_eq!(result["without_reference"], serde_json::json!([]), "{what}");
        for (place, value) in by_place(&result) {
            runs.insert(value["run"].to_string());
            for fact in ["operator", "shape", "dtype"] {
                assert_eq!(all[&place][fact], value[fact], "{place}, {what}");
            }
        }
    }
    // Those of both methods that the cut left, up to three of four.
    assert!(runs.len() >= 3, "{runs:?}");
}
