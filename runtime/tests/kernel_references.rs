//! Every kernel that the runtime has, against what the real ExecuTorch answered
//! to the same calls: `tests/fixtures/kernels`, see the README there.
//!
//! `KERNEL_REFERENCES=FOLDER` reads another folder, such as the full set that
//! `scripts/kernel_references.py` makes, and `KERNEL=TEXT` only operators whose
//! name contains the text.

mod support;

use et_runtime::{Input, LoadOptions, Method, OutputRef, Program, kernels};
use et_schema::ScalarType;
use et_schema::generated::bundled_program_generated::bundled_program_flatbuffer as fb;
use et_schema::pte::File;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};
use support::number;

/// Failures that one report shows; the rest is counted.
const SHOWN: usize = 60;

fn folder() -> PathBuf {
    env::var_os("KERNEL_REFERENCES")
        .map_or_else(|| support::fixtures().join("kernels"), PathBuf::from)
}

/// The manifests of the folder, sorted by operator.
fn manifests() -> Vec<serde_json::Value> {
    let wanted = env::var("KERNEL").unwrap_or_default();
    let mut found: Vec<serde_json::Value> = fs::read_dir(folder().join("manifest"))
        .expect("a folder of kernel references")
        .map(|entry| fs::read(entry.expect("readable folder").path()).expect("readable manifest"))
        .map(|bytes| serde_json::from_slice(&bytes).expect("JSON"))
        .filter(|manifest: &serde_json::Value| operator(manifest).contains(&wanted))
        .collect();
    found.sort_by_key(|manifest| operator(manifest).to_owned());
    found
}

fn operator(manifest: &serde_json::Value) -> &str {
    manifest["operator"].as_str().expect("an operator")
}

#[test]
fn kernels_answer_as_the_real_runtime_does() {
    let ours: BTreeSet<_> = kernels::names().collect();
    let (mut cases, mut failures) = (0, Vec::new());
    for manifest in manifests() {
        let name = operator(&manifest);
        if !ours.contains(name) {
            continue;
        }
        let path = folder().join(format!("{}.bpte", name.replace("::", ".")));
        let bytes = fs::read(&path).expect("readable bundled program");
        let bundle = flatbuffers::root::<fb::BundledProgram<'_>>(&bytes).expect("bundled program");
        for case in manifest["cases"].as_array().expect("cases") {
            cases += 1;
            if let Err(reason) = check(&bundle, case) {
                failures.push(format!("{name} {}: {reason}", case["method"]));
            }
        }
    }
    assert!(cases > 0 || env::var_os("KERNEL").is_some(), "no kernel has references");
    assert!(
        failures.is_empty(),
        "{} of {cases} cases failed:\n{}",
        failures.len(),
        failures[..failures.len().min(SHOWN)].join("\n")
    );
}

/// One case: refused where the real runtime refuses, else equal outputs.
fn check(bundle: &fb::BundledProgram<'_>, case: &serde_json::Value) -> Result<(), String> {
    let name = case["method"].as_str().expect("a method");
    let suite = bundle
        .method_test_suites()
        .and_then(|suites| suites.iter().find(|suite| suite.method_name() == Some(name)))
        .expect("the method's test suite");
    let test = suite.test_cases().expect("test cases").get(0);
    // A copy, because the program must be aligned by itself.
    let program = bundle.program().expect("a program").bytes().to_vec();
    let program = Program::new(File::parse(&program).map_err(|e| e.to_string())?);
    let mut tracer = etdump::NoTracer;
    let outcome = run(&program, name, &test, &mut tracer);
    if case.get("optimized_only").is_some() {
        return Ok(());
    }
    match (&outcome, case.get("error")) {
        (Ok(_), Some(error)) if may_be_taken(error) => return Ok(()),
        (Ok(_), Some(error)) => return Err(format!("must be refused, as with {error}")),
        (Err(_), Some(_)) => return Ok(()),
        (Err(error), None) => return Err(format!("refused: {error}")),
        (Ok(_), None) => {}
    }
    let outputs = outcome.map_err(|e| e.to_string())?;
    if case.get("platform_defined").is_some() {
        return Ok(());
    }
    let expected = test.expected_outputs().unwrap_or_default();
    if expected.len() != outputs.len() {
        return Err(format!("{} outputs, expected {}", outputs.len(), expected.len()));
    }
    for (index, (found, wanted)) in outputs.iter().zip(expected).enumerate() {
        same(found, &wanted).map_err(|e| format!("output {index}: {e}"))?;
    }
    Ok(())
}

/// Refusals that say nothing about the call, see the README of the fixtures.
fn may_be_taken(error: &serde_json::Value) -> bool {
    error["stage"] == "crash" || error.get("optimized_only").is_some()
}

/// An output after the method is gone.
#[derive(Debug, PartialEq)]
enum Output {
    Tensor { scalar_type: ScalarType, sizes: Vec<i32>, dim_order: Vec<u8>, data: Vec<u8> },
    Other(String),
}

fn run(
    program: &Program<'_>,
    name: &str,
    test: &fb::BundledMethodTestCase<'_>,
    tracer: &mut etdump::NoTracer,
) -> Result<Vec<Output>, et_runtime::Error> {
    let mut method = Method::load(program, name, LoadOptions::default(), tracer)?;
    for (index, value) in test.inputs().unwrap_or_default().iter().enumerate() {
        let tensor = value.val_as_tensor().expect("inputs of cases are tensors");
        let sizes: Vec<i32> = tensor.sizes().unwrap_or_default().iter().collect();
        let data = in_index_order(&tensor, &sizes);
        let scalar_type = scalar_type(&tensor);
        method.set_input(index, Input::Tensor { scalar_type, sizes: &sizes, data: &data })?;
    }
    method.execute(tracer)?;
    Ok(method
        .outputs()
        .map(|output| match output {
            OutputRef::Tensor(tensor) => Output::Tensor {
                scalar_type: tensor.scalar_type(),
                sizes: tensor.sizes().to_vec(),
                dim_order: tensor.dim_order().to_vec(),
                data: tensor.bytes().to_vec(),
            },
            other => Output::Other(format!("{other:?}")),
        })
        .collect())
}

fn scalar_type(tensor: &fb::Tensor<'_>) -> ScalarType {
    ScalarType::from_number(tensor.scalar_type().0.into()).expect("a known element type")
}

/// The elements of a bundled tensor, which are in memory order, by their index.
fn in_index_order(tensor: &fb::Tensor<'_>, sizes: &[i32]) -> Vec<u8> {
    let data = tensor.data().unwrap_or_default().bytes();
    let order = tensor.dim_order().unwrap_or_default().bytes();
    let size = scalar_type(tensor).size();
    let mut strides = vec![1usize; sizes.len()];
    for pair in order.windows(2).rev() {
        let [outer, inner] = [pair[0] as usize, pair[1] as usize];
        strides[outer] = strides[inner] * sizes[inner] as usize;
    }
    let mut result = Vec::with_capacity(data.len());
    let mut index = vec![0usize; sizes.len()];
    for _ in 0..data.len() / size {
        let at: usize = index.iter().zip(&strides).map(|(i, s)| i * s).sum();
        result.extend_from_slice(&data[at * size..][..size]);
        for dim in (0..sizes.len()).rev() {
            index[dim] += 1;
            if index[dim] < sizes[dim] as usize {
                break;
            }
            index[dim] = 0;
        }
    }
    result
}

fn same(found: &Output, wanted: &fb::Value<'_>) -> Result<(), String> {
    let Some(tensor) = wanted.val_as_tensor() else {
        let text = scalar_text(wanted);
        let equal = matches!(found, Output::Other(found) if *found == text);
        return if equal { Ok(()) } else { Err(format!("expected {text}, found {found:?}")) };
    };
    let Output::Tensor { scalar_type: kind, sizes, dim_order, data } = found else {
        return Err(format!("expected a tensor, found {found:?}"));
    };
    let wanted_sizes: Vec<i32> = tensor.sizes().unwrap_or_default().iter().collect();
    let wanted_order = tensor.dim_order().unwrap_or_default().bytes();
    let wanted_kind = scalar_type(&tensor);
    if (*kind, &sizes[..], &dim_order[..]) != (wanted_kind, &wanted_sizes[..], wanted_order) {
        return Err(format!(
            "expected {wanted_kind}{wanted_sizes:?} in order {wanted_order:?}, \
             found {kind}{sizes:?} in order {dim_order:?}"
        ));
    }
    close(*kind, data, tensor.data().unwrap_or_default().bytes())
}

/// A number as [`Output::Other`] holds it.
fn scalar_text(value: &fb::Value<'_>) -> String {
    use et_runtime::Scalar;
    let scalar = match value.val_type() {
        fb::ValueUnion::Int => Scalar::Int(value.val_as_int().expect("an int").int_val()),
        fb::ValueUnion::Bool => Scalar::Bool(value.val_as_bool().expect("a bool").bool_val()),
        _ => Scalar::Double(value.val_as_double().expect("a double").double_val()),
    };
    format!("{:?}", OutputRef::Scalar(scalar))
}

/// Relative difference that the order of a sum may cause.
fn tolerance(kind: ScalarType) -> f64 {
    match kind {
        ScalarType::Float => 1e-5,
        ScalarType::Double => 1e-10,
        ScalarType::Half => 2e-3,
        ScalarType::BFloat16 => 1.6e-2,
        _ => 0.0,
    }
}

fn close(kind: ScalarType, found: &[u8], wanted: &[u8]) -> Result<(), String> {
    let elements = |bytes: &[u8]| -> Vec<f64> {
        bytes.chunks_exact(kind.size()).map(|element| number(kind, element)).collect()
    };
    let (found, wanted) = (elements(found), elements(wanted));
    if found.len() != wanted.len() {
        return Err(format!("{} elements, expected {}", found.len(), wanted.len()));
    }
    let relative = tolerance(kind);
    // Elements that cancel are as inexact as the largest of their terms.
    let largest = wanted.iter().filter(|w| w.is_finite()).fold(0.0, |a: f64, w| a.max(w.abs()));
    for (index, (f, w)) in found.iter().zip(&wanted).enumerate() {
        let equal = f == w || (f.is_nan() && w.is_nan());
        let near = (f - w).abs() <= relative * (w.abs() + 0.1 * largest.min(1e3));
        if !equal && !near {
            return Err(format!("element {index}: expected {w}, found {f}"));
        }
    }
    Ok(())
}

#[test]
fn every_reference_belongs_to_an_operator_with_a_signature() {
    for manifest in manifests() {
        let name = operator(&manifest);
        assert!(et_schema::operators::find(name).is_some(), "{name}");
    }
    assert!(
        Path::new(&folder()).join("README.md").exists()
            || env::var_os("KERNEL_REFERENCES").is_some()
    );
}
