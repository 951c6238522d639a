//! `docs/operators.md`: which operators run on which types of elements. The table is made of the
//! registry of kernels and of what the real runtime answered, `tests/fixtures/kernels/types.json`.
//!
//! `UPDATE=1 cargo test -p et-runtime --test operators` writes the table anew. With
//! `KERNEL_REFERENCES=DIR`, references of some or all operators, it first counts their types anew.

mod support;

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};
use support::fixtures;

/// Types of elements, and kinds of numbers, in the order of the columns.
const TYPES: [&str; 17] = [
    "f32", "f64", "f16", "bf16", "u8", "i8", "i16", "i32", "i64", "u16", "b", "c64", "c128", "c32",
    "int", "float", "bool",
];

/// Why operators have no kernel here.
const REASONS: [(&str, &str); 2] = [
    ("aten::allclose.Tensor", "no kernel in ExecuTorch's package either"),
    ("aten::allclose.out", "no kernel in ExecuTorch's package either"),
];

/// Calls of one operator with elements of one type.
#[derive(Clone, Copy, Default)]
struct Calls {
    answered: u64,
    refused: u64,
}

/// What the real runtime did with an operator.
struct Reference {
    /// The kernel library that answered.
    library: String,
    types: BTreeMap<String, Calls>,
}

type References = BTreeMap<String, Reference>;

fn types_file() -> PathBuf {
    fixtures().join("kernels/types.json")
}

fn update() -> bool {
    env::var_os("UPDATE").is_some()
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The type in a case's name, `c004_u8_f32_axis`: that of the first tensor, or where no input is
/// a tensor (`none`), that of the output (`to_f32`) or the kind of the first number.
fn type_of(method: &str) -> Option<&str> {
    let mut words = method.split('_').skip(1);
    let first = words.next()?;
    let kind = match (first, words.next()) {
        ("none", Some("to")) => words.next()?,
        ("none", kind) => kind?,
        (first, _) => first,
    };
    TYPES.into_iter().find(|t| *t == kind)
}

/// Counts the cases of a folder of manifests that say something about types.
fn count(folder: &Path) -> References {
    let mut references = References::new();
    for entry in fs::read_dir(folder.join("manifest")).unwrap() {
        let manifest = read(&entry.unwrap().path());
        let mut types: BTreeMap<String, Calls> = BTreeMap::new();
        for case in manifest["cases"].as_array().unwrap() {
            let Some(own) = type_of(case["method"].as_str().unwrap()) else { continue };
            let calls = types.entry(own.to_owned()).or_default();
            let error = &case["error"];
            if error.is_null() {
                calls.answered += 1;
            } else if error["stage"] != "crash" && error["optimized_only"].is_null() {
                calls.refused += 1;
            }
        }
        let text = |key: &str| manifest[key].as_str().unwrap().to_owned();
        references.insert(text("operator"), Reference { library: text("library"), types });
    }
    references
}

fn parse(file: &Value) -> References {
    let number = |calls: &Value, i: usize| calls[i].as_u64().unwrap();
    let reference = |own: &Value| Reference {
        library: own["library"].as_str().unwrap().to_owned(),
        types: own["types"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(t, c)| (t.clone(), Calls { answered: number(c, 0), refused: number(c, 1) }))
            .collect(),
    };
    file.as_object().unwrap().iter().map(|(name, own)| (name.clone(), reference(own))).collect()
}

/// One line per operator.
fn print(references: &References) -> String {
    let lines: Vec<String> = references
        .iter()
        .map(|(name, own)| {
            let types: Map<String, Value> = own
                .types
                .iter()
                .map(|(t, calls)| (t.clone(), json!([calls.answered, calls.refused])))
                .collect();
            format!("{}: {}", json!(name), json!({ "library": own.library, "types": types }))
        })
        .collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

fn table(references: &References) -> String {
    let kernels: BTreeSet<&str> = et_runtime::kernels::names().collect();
    let signatures = et_schema::operators::all().iter().map(|s| s.name);
    let all: BTreeSet<&str> =
        signatures.chain(references.keys().map(String::as_str)).chain(kernels.clone()).collect();
    let mut out = String::from(HEAD);
    let count = all.iter().filter(|name| kernels.contains(*name)).count();
    let _ = writeln!(out, "\n{count} of {} operators have a kernel.", all.len());
    let namespaces: BTreeSet<&str> = all.iter().map(|name| namespace(name)).collect();
    for own in namespaces {
        let rows: Vec<&str> = all
            .iter()
            .filter(|name| namespace(name) == own && kernels.contains(*name))
            .copied()
            .collect();
        if !rows.is_empty() {
            let _ = write!(out, "\n## {own}\n\n{}", rows_of(&rows, references));
        }
    }
    let missing: Vec<&str> = all.difference(&kernels).copied().collect();
    if !missing.is_empty() {
        out += "\n## Without a kernel\n\n| operator | why |\n| --- | --- |\n";
    }
    for name in missing {
        let reason = REASONS.iter().find(|(own, _)| *own == name).map(|(_, reason)| *reason);
        let _ = writeln!(out, "| `{name}` | {} |", reason.unwrap_or("not written yet"));
    }
    out
}

const HEAD: &str = "\
<!-- Made by runtime/tests/operators.rs, see there. -->

# Operators

What `etinspect run` runs, by the type of the first tensor; of the output, where no input is a
tensor; or by the kind of number, where there are numbers only.

* ✓ computed. The numbers are compared with those of ExecuTorch 1.5.1.
* ✗ refused by ExecuTorch, and here with the same error.
* A blank is a call that was never compared.

Random operators agree in shape and type only. The library is the one whose kernel ExecuTorch's
Python package calls; a program on a board may have a portable kernel in its place.
";

fn namespace(operator: &str) -> &str {
    operator.split_once("::").map_or("", |(namespace, _)| namespace)
}

fn rows_of(rows: &[&str], references: &References) -> String {
    let calls = |name: &str, kind: &str| {
        references.get(name).and_then(|own| own.types.get(kind)).copied().unwrap_or_default()
    };
    let used: Vec<&str> = TYPES
        .into_iter()
        .filter(|kind| {
            rows.iter().any(|name| calls(name, kind).answered + calls(name, kind).refused > 0)
        })
        .collect();
    let mut out = format!("| operator | library | {} |\n", used.join(" | "));
    let _ = writeln!(out, "| --- | --- |{}", " --- |".repeat(used.len()));
    for name in rows {
        let short = name.split_once("::").map_or(*name, |(_, short)| short);
        let library = references.get(*name).map_or("", |own| &own.library).replace('_', " ");
        let _ = write!(out, "| `{short}` | {library} |");
        for kind in &used {
            let mark = match calls(name, kind) {
                Calls { answered: 0, refused: 0 } => " ",
                Calls { answered: 0, .. } => " ✗ ",
                _ => " ✓ ",
            };
            let _ = write!(out, "{mark}|");
        }
        out.push('\n');
    }
    out
}

#[test]
fn table_of_operators_is_current() {
    if let (true, Some(folder)) = (update(), env::var_os("KERNEL_REFERENCES")) {
        let mut types = parse(&read(&types_file()));
        types.extend(count(Path::new(&folder)));
        fs::write(types_file(), print(&types)).unwrap();
    }
    let table = table(&parse(&read(&types_file())));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operators.md");
    if update() {
        fs::write(&path, &table).unwrap();
    }
    assert!(
        fs::read_to_string(&path).is_ok_and(|found| found == table),
        "docs/operators.md is stale: run `UPDATE=1 cargo test -p et-runtime --test operators`"
    );
}

#[test]
fn types_agree_with_the_references() {
    let types = parse(&read(&types_file()));
    for (operator, own) in count(&fixtures().join("kernels")) {
        let full =
            types.get(&operator).unwrap_or_else(|| panic!("{operator} is not in types.json"));
        for (kind, calls) in own.types {
            let known = full.types.get(&kind).copied().unwrap_or_default();
            assert!(
                known.answered >= calls.answered && known.refused >= calls.refused,
                "types.json knows too few calls of {operator} with {kind}"
            );
        }
    }
}

#[test]
fn reasons_are_of_operators_without_a_kernel() {
    for (operator, _) in REASONS {
        assert!(et_runtime::kernels::names().all(|name| name != operator), "{operator}");
    }
}
