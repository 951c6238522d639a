//! Our tables and documents equal those that ExecuTorch's own Inspector made of
//! the same traces, in every name and number.
//!
//! The files of the repository are checked always. With the environment
//! variable `ETINSPECT_REFERENCES` set to a folder that has `etdumps/`,
//! `expected/` and `large/`, all traces in there are checked as well.

use et_inspector::correlate::{Correlation, find_total_for_module};
use et_inspector::debug_data::Value as Logged;
use et_inspector::events::{EventBlocks, TimeScale, Times};
use et_reports::events::{Columns, inspector_table, json, tsv};
use et_schema::{etdump, etrecord};
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

/// Where traces and the Inspector's results are.
struct References {
    traces: Vec<PathBuf>,
    expected: PathBuf,
}

impl References {
    fn all() -> Vec<References> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/traces");
        let mut all = vec![References { traces: vec![own.clone()], expected: own }];
        if let Some(root) = std::env::var_os("ETINSPECT_REFERENCES").map(PathBuf::from) {
            all.push(References {
                traces: vec![root.join("etdumps"), root.join("large/etdumps")],
                expected: root.join("expected"),
            });
        }
        all
    }

    /// A file of `traces` by name.
    fn trace_file(&self, name: &str) -> Option<Vec<u8>> {
        self.traces.iter().find_map(|folder| fs::read(folder.join(name)).ok())
    }

    /// Results whose name ends in `suffix`, by the name of their trace.
    fn results(&self, suffix: &str) -> Vec<(String, Vec<u8>)> {
        let mut results = Vec::new();
        for entry in fs::read_dir(&self.expected).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let plain = name.strip_suffix(".gz").unwrap_or(name);
            let Some(trace) = plain.strip_suffix(suffix) else { continue };
            let mut bytes = fs::read(&path).unwrap();
            if plain != name {
                let mut unpacked = Vec::new();
                flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).unwrap();
                bytes = unpacked;
            }
            results.push((trace.to_owned(), bytes));
        }
        results.sort();
        results
    }
}

/// A trace with its ETRecord, where the result is one with an ETRecord.
struct Case {
    name: String,
    trace: Vec<u8>,
    record: Option<Vec<u8>>,
}

impl Case {
    fn load(references: &References, name: &str) -> Option<Case> {
        let without = name.strip_suffix(".norecord");
        let trace = without.unwrap_or(name);
        let model = trace.split("__").next().unwrap().split('.').next().unwrap();
        let record = match without {
            Some(_) => None,
            None => Some(references.trace_file(&format!("{model}.etrecord"))?),
        };
        let trace = references.trace_file(&format!("{trace}.etdp"))?;
        Some(Case { name: name.to_owned(), trace, record })
    }

    fn check(&self, check: impl Fn(&EventBlocks<'_>, &Correlation<'_>)) {
        let blocks = EventBlocks::of(&etdump::File::parse(&self.trace).unwrap());
        let record = self.record.as_ref().map(|bytes| etrecord::File::parse(bytes).unwrap());
        let correlation = Correlation::new(&blocks, None, record.as_ref(), None).unwrap();
        check(&blocks, &correlation);
    }
}

fn milliseconds() -> Times {
    Times::new(TimeScale::Nanoseconds, TimeScale::Milliseconds).unwrap()
}

/// Runs `check` on every result with `suffix`; at least `least` of our own.
fn for_each(suffix: &str, least: usize, check: impl Fn(&Case, &[u8])) {
    for (index, references) in References::all().iter().enumerate() {
        let mut checked = 0;
        for (name, result) in references.results(suffix) {
            let Some(case) = Case::load(references, &name) else {
                panic!("{name}: no trace or no ETRecord");
            };
            check(&case, &result);
            checked += 1;
        }
        eprintln!("{checked} of {suffix}");
        assert!(checked >= if index == 0 { least } else { 50 }, "only {checked} of {suffix}");
    }
}

fn assert_lines(name: &str, ours: &str, theirs: &[u8]) {
    let theirs = std::str::from_utf8(theirs).unwrap();
    for (index, (our, their)) in ours.lines().zip(theirs.lines()).enumerate() {
        assert_eq!(our, their, "{name}, line {}", index + 1);
    }
    assert_eq!(ours.len(), theirs.len(), "{name}: length");
}

#[test]
fn tsv_is_the_inspectors_byte_for_byte() {
    for_each(".tsv", 20, |case, expected| {
        case.check(|blocks, correlation| {
            let ours = tsv(blocks, correlation, &milliseconds(), Columns::default());
            assert_lines(&case.name, &ours, expected);
        });
    });
}

#[test]
fn table_is_the_inspectors_byte_for_byte() {
    for_each(".table.txt", 5, |case, expected| {
        case.check(|blocks, correlation| {
            let ours = inspector_table(blocks, correlation, &milliseconds(), Columns::default());
            assert_lines(&case.name, &ours, expected);
        });
    });
}

#[test]
fn json_has_the_inspectors_names_and_numbers() {
    for_each(".inspector.json", 5, |case, expected| {
        let expected: Value = serde_json::from_slice(expected).unwrap();
        let parsed = etdump::File::parse(&case.trace).unwrap();
        let mut blocks = EventBlocks::of(&parsed);
        blocks.keep_last_iterations();
        let record = case.record.as_ref().map(|bytes| etrecord::File::parse(bytes).unwrap());
        let correlation = Correlation::new(&blocks, None, record.as_ref(), None).unwrap();
        let ours: Value =
            serde_json::from_str(&json(&blocks, &correlation, None, &milliseconds(), &parsed))
                .unwrap();
        assert_rows(&case.name, &ours, &expected);
        if record.is_some() {
            assert_blocks(&case.name, &ours, &expected);
            for (module, total) in expected["find_total_for_module"].as_object().unwrap() {
                let our = find_total_for_module(&blocks, &correlation, module, &milliseconds());
                assert_close(&case.name, &Value::from(our), total);
            }
        }
    });
}

#[test]
fn logged_tensors_are_the_inspectors() {
    for (index, references) in References::all().iter().enumerate() {
        let mut checked = 0;
        let documents: HashMap<_, _> = references.results(".inspector.json").into_iter().collect();
        for (name, npz) in references.results(".tensors.npz") {
            let case = Case::load(references, &name).unwrap();
            let trace = name.strip_suffix(".norecord").unwrap_or(&name);
            let buffer = references.trace_file(&format!("{trace}.debug.bin")).unwrap();
            let expected: Value = serde_json::from_slice(&documents[&name]).unwrap();
            let tensors = npz_entries(&npz);
            case.check(|blocks, _| {
                let rows = blocks.blocks.iter().flat_map(|block| &block.events);
                let theirs = expected["rows"].as_array().unwrap();
                for (row, their) in rows.zip(theirs) {
                    let values: Vec<_> =
                        row.debug_events.iter().map(|e| Logged::of(e, Some(&buffer))).collect();
                    assert_values(&name, &values, &their["debug_data"], &tensors);
                }
                let theirs = expected["blocks"].as_array().unwrap();
                for (block, their) in blocks.blocks.iter().zip(theirs) {
                    let values: Vec<_> =
                        block.outputs.iter().map(|e| Logged::of(e, Some(&buffer))).collect();
                    // The Inspector keeps the outputs of the first run that had any.
                    assert_values(&name, &values, &their["run_output"], &tensors);
                }
            });
            checked += 1;
        }
        eprintln!("{checked} of .tensors.npz");
        assert!(checked >= if index == 0 { 3 } else { 30 }, "only {checked}");
    }
}

/// The elements of each tensor of an NPZ file.
fn npz_entries(bytes: &[u8]) -> HashMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut entries = HashMap::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().trim_end_matches(".npy").to_owned();
        let mut npy = Vec::new();
        entry.read_to_end(&mut npy).unwrap();
        let header = usize::from(u16::from_le_bytes([npy[8], npy[9]]));
        entries.insert(name, npy.split_off(10 + header));
    }
    entries
}

fn assert_values(
    name: &str,
    ours: &[Logged<'_>],
    theirs: &Value,
    tensors: &HashMap<String, Vec<u8>>,
) {
    let theirs = theirs.as_array().unwrap();
    assert_eq!(ours.len(), theirs.len(), "{name}: values");
    for (our, their) in ours.iter().zip(theirs) {
        match our {
            Logged::Tensor(tensor) => assert_tensor(name, tensor, their, tensors),
            Logged::List(list) => {
                assert_eq!(list.len(), their.as_array().unwrap().len(), "{name}");
                for (tensor, their) in list.iter().zip(their.as_array().unwrap()) {
                    assert_tensor(name, tensor, their, tensors);
                }
            }
            Logged::Number(number) => {
                let their = their.as_bool().map(|b| f64::from(u8::from(b))).or(their.as_f64());
                assert_eq!(Some(*number), their, "{name}");
            }
            Logged::Nothing => assert!(their.is_null(), "{name}: {their}"),
        }
    }
}

fn assert_tensor(
    name: &str,
    our: &et_inspector::debug_data::Tensor<'_>,
    their: &Value,
    tensors: &HashMap<String, Vec<u8>>,
) {
    let key = their["tensor"].as_str().unwrap();
    assert_eq!(our.dtype(), their["dtype"], "{name}, {key}");
    assert_eq!(serde_json::json!(our.sizes), their["shape"], "{name}, {key}");
    assert_eq!(our.bytes().unwrap(), tensors[key], "{name}, {key}");
    assert_eq!(our.numbers().unwrap().len() as u64, our.summary().unwrap().count);
}

/// The rows of the Inspector's data frame.
fn assert_rows(name: &str, ours: &Value, expected: &Value) {
    let blocks = ours["blocks"].as_array().unwrap().iter();
    let rows: Vec<(&Value, &Value)> = blocks
        .flat_map(|b| b["events"].as_array().unwrap().iter().map(move |e| (&b["name"], e)))
        .collect();
    let theirs = expected["rows"].as_array().unwrap();
    assert_eq!(rows.len(), theirs.len(), "{name}: rows");
    for (index, ((block, our), their)) in rows.iter().zip(theirs).enumerate() {
        let place = format!("{name}, row {index}");
        assert_eq!(*block, &their["event_block_name"], "{place}");
        assert_eq!(our["name"], their["event_name"], "{place}");
        for column in ["p10", "p50", "p90", "avg", "min", "max"] {
            assert_close(&place, &our[column], &their[format!("{column} (ms)").as_str()]);
        }
        for column in ["is_delegated_op", "stack_traces", "module_hierarchy"] {
            assert_eq!(our[column], their[column], "{place}, {column}");
        }
        assert_eq!(our["delegate_backend_name"], their["delegate_backend_name"], "{place}");
        assert_list(&place, &our["raw"], &their["raw"]);
        assert_list(&place, &our["start_time"], &their["start_time"]);
        assert_op_types(&place, &our["op_types"], &their["op_types"]);
        let identifier = match &our["delegate_name"] {
            Value::Null => &our["delegate_id"],
            name => name,
        };
        assert_eq!(identifier, &their["delegate_debug_identifier"], "{place}");
    }
}

/// The Inspector's event blocks, which have what its data frame leaves out.
fn assert_blocks(name: &str, ours: &Value, expected: &Value) {
    let blocks = ours["blocks"].as_array().unwrap();
    let theirs = expected["blocks"].as_array().unwrap();
    assert_eq!(blocks.len(), theirs.len(), "{name}: blocks");
    for (our, their) in blocks.iter().zip(theirs) {
        let events = our["events"].as_array().unwrap().iter();
        for (our, their) in events.zip(their["events"].as_array().unwrap()) {
            assert_eq!(our["op_types"], their["op_types"], "{name}");
            assert_eq!(our["instruction"], their["instruction_id"], "{name}");
            let handles = match &their["debug_handles"] {
                Value::Number(one) => serde_json::json!([one]),
                other => other.clone(),
            };
            assert_eq!(our["debug_handles"], handles, "{name}");
            // The Inspector says 1 of events that the ETRecord says nothing of.
            let outputs = our["num_outputs"].as_u64().unwrap_or(1);
            assert_eq!(Some(outputs), their["num_outputs"].as_u64(), "{name}");
        }
    }
}

fn assert_op_types(place: &str, ours: &Value, theirs: &Value) {
    let Value::String(shortened) = theirs else {
        assert_eq!(ours, theirs, "{place}");
        return;
    };
    let ours = ours.as_array().unwrap();
    assert!(shortened.ends_with(&format!("({} total)", ours.len())), "{place}");
    assert!(shortened.starts_with(&format!("['{}'", ours[0].as_str().unwrap())), "{place}");
}

fn assert_list(place: &str, ours: &Value, theirs: &Value) {
    let theirs = theirs.as_array().map(Vec::as_slice).unwrap_or_default();
    let ours = ours.as_array().unwrap();
    assert_eq!(ours.len(), theirs.len(), "{place}");
    for (our, their) in ours.iter().zip(theirs) {
        assert_close(place, our, their);
    }
}

/// Equal but for the last digit, which reading JSON may round.
fn assert_close(place: &str, our: &Value, their: &Value) {
    match (our.as_f64(), their.as_f64()) {
        (Some(our), Some(their)) => {
            assert!((our - their).abs() <= 1e-15 * their.abs(), "{place}: {our} {their}");
        }
        // A missing time is NaN in a column of numbers.
        (None, None) => {}
        _ => panic!("{place}: {our} {their}"),
    }
}
