//! Every kernel against the real runtime: `tests/fixtures/kernels` holds its
//! answers to small calls of each operator (see the README there).
//!
//! `KERNEL_REFERENCES=DIR cargo test` checks a larger set of the same form.

mod support;

use et_runtime::{LoadOptions, Method, OutputRef, Program, Scalar};
use et_schema::ScalarType;
use et_schema::bundled::{self, TestCase, Value};
use et_schema::pte::File;
use std::path::{Path, PathBuf};
use std::{env, fs};
use support::bundled::{offsets, set_input};
use support::{fixtures, number};

/// Operators whose answers are not those of a deterministic kernel.
const RANDOM: [&str; 2] = ["aten::rand.out", "aten::randn.out"];

/// Answers that the real runtime gives by accident: it copies or adds up bits of one type as
/// those of another, takes memory of one layout for another, or reads past the end of a tensor.
const ACCIDENTS: &[(&str, &str)] = &[
    ("aten::bmm.out", "c035_f32_f32_inner_differs"),
    ("aten::cat.out", "c020_f32_i32_mixed"),
    ("aten::convolution.out", "c128_f32_f32_f32_bias_too_short"),
    ("aten::native_layer_norm.out", "c040_f16_f16_random"),
    ("aten::slice_copy.Tensor_out", "c041_f32_channels_last"),
    ("quantized_decomposed::embedding_2bit.dtype_out", "c011_u8_f32_f16_i64_dtype_points"),
    ("quantized_decomposed::embedding_2bit.dtype_out", "c015_u8_f32_bf16_i64_dtype_points"),
    ("quantized_decomposed::embedding_2bit.out", "c012_u8_f32_i64_index_too_big"),
    ("quantized_decomposed::embedding_4bit.dtype_out", "c011_u8_f32_f16_i64_dtype_points"),
    ("quantized_decomposed::embedding_4bit.dtype_out", "c015_u8_f32_bf16_i64_dtype_points"),
    ("quantized_decomposed::embedding_4bit.out", "c012_u8_f32_i64_index_too_big"),
    ("quantized_decomposed::embedding_byte.dtype_out", "c011_i8_f32_f16_i64_dtype_points"),
    ("quantized_decomposed::embedding_byte.dtype_out", "c015_i8_f32_bf16_i64_dtype_points"),
];

fn folder() -> PathBuf {
    env::var_os("KERNEL_REFERENCES").map_or_else(|| fixtures().join("kernels"), PathBuf::from)
}

#[test]
fn kernels_answer_as_the_real_runtime_does() {
    let mut failures = Vec::new();
    let (mut operators, mut cases, mut missing) = (0, 0, Vec::new());
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder().join("manifest")).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let manifest: serde_json::Value =
            serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let operator = manifest["operator"].as_str().unwrap();
        if RANDOM.contains(&operator) {
            continue;
        }
        if !et_runtime::kernels::names().any(|name| name == operator) {
            missing.push(operator.to_owned());
            continue;
        }
        operators += 1;
        let checked = check_operator(operator, &manifest, &path);
        cases += checked.cases;
        failures.extend(checked.wrong);
    }
    println!("{operators} operators, {cases} cases, {} operators missing", missing.len());
    println!("missing: {missing:?}");
    let shown = failures.iter().take(60).cloned().collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{} of {cases} cases fail:\n{shown}", failures.len());
}

/// What was found of one operator.
#[derive(Default)]
struct Checked {
    cases: usize,
    /// Cases that the real runtime answers otherwise.
    wrong: Vec<String>,
}

fn check_operator(operator: &str, manifest: &serde_json::Value, path: &Path) -> Checked {
    let name = path.file_stem().unwrap().to_str().unwrap();
    let bytes = fs::read(folder().join(format!("{name}.bpte"))).unwrap();
    let bundled = bundled::File::parse(&bytes).unwrap();
    let file = File::parse(bundled.program()).unwrap();
    let mut checked = Checked::default();
    for case in manifest["cases"].as_array().unwrap() {
        checked.cases += 1;
        let method = case["method"].as_str().unwrap();
        let error = case.get("error").filter(|e| !e.is_null());
        if is_no_promise(case, error) || ACCIDENTS.contains(&(operator, method)) {
            continue;
        }
        let suite = bundled.suite(method).unwrap();
        let allowed = Allowed { operator, within: case["within"].as_f64().unwrap_or(0.0) };
        let wrong = match (run(file, method, suite.case(0), &allowed), error) {
            (Ok(()), None) => continue,
            (Err(Failure::Refused(found)), Some(error)) => match code(error) {
                Some(code) if code != u64::from(found.code.code()) => {
                    format!("is refused with another error than 0x{code:02x}: {found}")
                }
                _ => continue,
            },
            (Ok(()) | Err(Failure::Wrong(_)), Some(_)) => {
                "is computed, though the real runtime refuses it".into()
            }
            (Err(Failure::Refused(found)), None) => format!("is refused: {found}"),
            (Err(Failure::Wrong(found)), None) => found,
        };
        checked.wrong.push(format!("{operator} {method}: {wrong}"));
    }
    checked
}

/// Whether the answer is nobody's promise: the order of elements that were not asked to be
/// sorted, what the README calls `platform_defined` and `optimized_only`, and a crash.
fn is_no_promise(case: &serde_json::Value, error: Option<&serde_json::Value>) -> bool {
    let marked = |mark: &str| case.get(mark).or(error.and_then(|e| e.get(mark))).is_some();
    marked("platform_defined")
        || marked("optimized_only")
        || error.is_some_and(|e| e["stage"] == "crash")
        || case["method"].as_str().is_some_and(|m| m.ends_with("_unsorted"))
}

/// The ExecuTorch error of a refusal; a failed check that ends the process has none.
fn code(error: &serde_json::Value) -> Option<u64> {
    error["code"].as_u64().filter(|_| error["stage"] != "abort")
}

/// How far elements may be off.
struct Allowed<'a> {
    operator: &'a str,
    /// In units of the elements, where the reference itself is an approximation.
    within: f64,
}

enum Failure {
    Refused(et_runtime::Error),
    Wrong(String),
}

fn run(
    file: File<'_>,
    name: &str,
    case: Option<TestCase<'_>>,
    allowed: &Allowed<'_>,
) -> Result<(), Failure> {
    let program = Program::new(file);
    let mut tracer = etdump::NoTracer;
    let mut method = Method::load(&program, name, LoadOptions::default(), &mut tracer)
        .map_err(Failure::Refused)?;
    let Some(case) = case else { return Err(Failure::Wrong("no test case".into())) };
    for (index, input) in case.inputs().enumerate() {
        set_input(&mut method, index, &input).map_err(Failure::Refused)?;
    }
    method.execute(&mut tracer).map_err(Failure::Refused)?;
    for (index, (output, expected)) in method.outputs().zip(case.expected_outputs()).enumerate() {
        compare(&output, &expected, allowed)
            .map_err(|e| Failure::Wrong(format!("output {index} {e}")))?;
    }
    Ok(())
}

fn compare(
    output: &OutputRef<'_>,
    expected: &Value<'_>,
    allowed: &Allowed<'_>,
) -> Result<(), String> {
    match (output, expected) {
        (OutputRef::Tensor(found), Value::Tensor(expected)) => {
            let sizes: Vec<i32> = expected.sizes().iter().collect();
            let scalar_type = expected.scalar_type().unwrap();
            if found.sizes() != sizes || found.scalar_type() != scalar_type {
                return Err(format!(
                    "is {}{:?}, expected {scalar_type}{sizes:?}",
                    found.scalar_type(),
                    found.sizes()
                ));
            }
            let order = |order: &[u8]| order.iter().map(|d| usize::from(*d)).collect::<Vec<_>>();
            let found = elements(found.bytes(), scalar_type, &sizes, &order(found.dim_order()));
            let expected =
                elements(expected.data(), scalar_type, &sizes, &order(expected.dim_order()));
            let relative = tolerance(scalar_type, allowed.operator);
            compare_elements(&found, &expected, relative, allowed.within)
        }
        (OutputRef::Scalar(Scalar::Int(a)), Value::Int(b)) if a == b => Ok(()),
        (OutputRef::Scalar(Scalar::Bool(a)), Value::Bool(b)) if a == b => Ok(()),
        (OutputRef::Scalar(Scalar::Double(a)), Value::Double(b))
            if a == b || a.is_nan() && b.is_nan() =>
        {
            Ok(())
        }
        other => Err(format!("is {:?}, expected {:?}", other.0, other.1)),
    }
}

fn elements(data: &[u8], scalar_type: ScalarType, sizes: &[i32], order: &[usize]) -> Vec<f64> {
    let size = scalar_type.size();
    // Complex numbers are two.
    let part = scalar_type.part().unwrap_or(scalar_type);
    offsets(sizes, order)
        .iter()
        .flat_map(|offset| data[offset * size..][..size].chunks_exact(part.size()))
        .map(|bytes| number(part, bytes))
        .collect()
}

/// The real runtime computes these in float32 even for float64 tensors.
const IN_FLOAT32: [&str; 2] =
    ["aten::_adaptive_avg_pool2d.out", "aten::_native_batch_norm_legit.no_stats_out"];

/// Floats may differ by the order of a sum, relative to the largest element.
fn tolerance(scalar_type: ScalarType, operator: &str) -> f64 {
    match scalar_type.part().unwrap_or(scalar_type) {
        ScalarType::Float => 1e-5,
        ScalarType::Double if IN_FLOAT32.contains(&operator) => 1e-5,
        ScalarType::Double => 1e-10,
        ScalarType::Half => 2e-3,
        ScalarType::BFloat16 => 2e-2,
        _ => 0.0,
    }
}

fn compare_elements(
    found: &[f64],
    expected: &[f64],
    relative: f64,
    within: f64,
) -> Result<(), String> {
    let largest = expected.iter().filter(|e| e.is_finite()).fold(0f64, |most, e| most.max(e.abs()));
    let most = within.max(relative * largest);
    for (index, (a, b)) in found.iter().zip(expected).enumerate() {
        let equal = a == b || a.is_nan() && b.is_nan();
        if !equal && (a - b).abs().partial_cmp(&most).is_none_or(|o| o.is_gt()) {
            return Err(format!("has {a} at element {index}, expected {b}"));
        }
    }
    Ok(())
}
