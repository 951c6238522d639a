//! What a bundled program adds to its program: test cases of its methods.

use super::program::count;
use super::values::{dtype, quoted, shape};
use crate::text::bytes;
use et_schema::bundled::{File, TestCase, Value};
use serde_json::{Value as Json, json};
use std::fmt::Write;

/// Test cases of a method that are printed.
const CASES: usize = 16;

/// The file and its test suites.
pub fn text(name: &str, file: &File<'_>) -> String {
    let size = bytes(file.bytes().len() as u64);
    let mut text = format!("{name}: bundled program (BP08, version {}), {size}\n", file.version());
    for suite in file.suites() {
        let cases = count(suite.cases().len() as u64, "test case");
        let _ = writeln!(text, "  {cases} of {}", quoted(suite.method()));
        for (index, case) in suite.cases().take(CASES).enumerate() {
            let (inputs, outputs) = (list(case.inputs()), list(case.expected_outputs()));
            let _ = writeln!(text, "    {index}  {inputs} -> {outputs}");
        }
        if suite.cases().len() > CASES {
            let more = count((suite.cases().len() - CASES) as u64, "test case");
            let _ = writeln!(text, "    ... {more} not shown");
        }
    }
    text
}

/// Where in the file the program starts.
pub fn program_offset(file: &File<'_>) -> usize {
    file.program().as_ptr().addr().saturating_sub(file.bytes().as_ptr().addr())
}

/// The file and its test suites, all of them.
pub fn json(file: &File<'_>) -> Json {
    let values = |values: &mut dyn Iterator<Item = Value<'_>>| -> Vec<Json> {
        values.map(|value| value_json(&value)).collect()
    };
    let case = |case: TestCase<'_>| {
        json!({
            "inputs": values(&mut case.inputs()),
            "expected_outputs": values(&mut case.expected_outputs()),
        })
    };
    let suites = file.suites().map(|suite| {
        let cases: Vec<Json> = suite.cases().map(case).collect();
        json!({ "method": suite.method(), "cases": cases })
    });
    json!({
        "size_bytes": file.bytes().len(),
        "version": file.version(),
        "program_offset": program_offset(file),
        "suites": suites.collect::<Vec<_>>(),
    })
}

fn value_json(value: &Value<'_>) -> Json {
    match value {
        Value::Tensor(tensor) => json!({
            "kind": "Tensor",
            "dtype": dtype(tensor.scalar_type()),
            "shape": tensor.sizes().iter().collect::<Vec<_>>(),
            "size_bytes": tensor.data().len(),
        }),
        Value::Int(number) => json!({ "kind": "Int", "content": number }),
        Value::Bool(flag) => json!({ "kind": "Bool", "content": flag }),
        Value::Double(number) if number.is_finite() => {
            json!({ "kind": "Double", "content": number })
        }
        Value::Double(number) => json!({ "kind": "Double", "content": format!("{number:?}") }),
        Value::Unknown(tag) => json!({ "kind": "unknown", "tag": tag }),
    }
}

fn list<'a>(values: impl Iterator<Item = Value<'a>>) -> String {
    let values: Vec<String> = values.map(|value| value_text(&value)).collect();
    if values.is_empty() { "nothing".into() } else { values.join(", ") }
}

fn value_text(value: &Value<'_>) -> String {
    match value {
        Value::Tensor(tensor) => {
            let found = tensor.data().len() as u64;
            let mut text =
                format!("{}{}", dtype(tensor.scalar_type()), shape(tensor.sizes().iter()));
            if tensor.nbytes() != Some(found) {
                let _ = write!(text, " (has {})", bytes(found));
            }
            text
        }
        Value::Int(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Double(number) => format!("{number:?}"),
        Value::Unknown(tag) => format!("a value of unknown kind {tag}"),
    }
}
