//! The readers against flatc: everything they say about a file, written as
//! the JSON that ExecuTorch's flatc made of it (`--defaults-json`).

mod support;

use et_schema::ids::InstructionId;
use et_schema::pte::{Dynamism, Instruction, Location, Method, Processed, Tensor, Value};
use et_schema::{ScalarType, bundled, ptd, pte};
use serde_json::{Value as Json, json};
use support::fixture;

const PROGRAMS: [&str; 9] = [
    "linear",
    "cond",
    "kv_cache",
    "mlp_ptd",
    "mlp_stacktrace",
    "multi_method_forward",
    "scalar_inputs",
    "u55_add",
    "xnn_inline_delegate",
];

fn recorded(name: &str) -> Json {
    serde_json::from_slice(&fixture(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// flatc's enumerator of an element type.
fn enumerator(scalar_type: Result<ScalarType, i8>) -> String {
    scalar_type.expect("a known type").enumerator().to_uppercase()
}

fn list<T>(items: impl Iterator<Item = T>, json: impl Fn(T) -> Json) -> Json {
    items.map(json).collect()
}

fn program_json(file: &pte::File<'_>) -> Json {
    let inline = (0..file.inline_delegate_count() as u32)
        .map(|i| json!({ "data": file.inline_delegate_data(i).expect("an entry") }));
    let mut program = json!({
        "version": file.version(),
        "execution_plan": list(file.methods(), |m| method_json(&m)),
        "constant_buffer": (0..file.inline_constant_count()).map(|_| json!({})).collect::<Json>(),
        "backend_delegate_data": inline.collect::<Json>(),
        "segments": list(file.segments(), |s| json!({ "offset": s.offset, "size": s.size })),
    });
    if let Some(part) = file.constant_segment() {
        program["constant_segment"] = json!({
            "segment_index": part.segment_index,
            "offsets": part.offsets().collect::<Vec<_>>(),
        });
    }
    if file.named_data().len() > 0 {
        program["named_data"] = list(
            file.named_data(),
            |entry| json!({ "key": entry.key, "segment_index": entry.segment_index }),
        );
    }
    program
}

fn method_json(method: &Method<'_>) -> Json {
    let ids = |ids: Vec<et_schema::ids::ValueId>| ids.iter().map(|id| id.0).collect::<Vec<_>>();
    let mut sizes = vec![0];
    sizes.extend(method.planned_buffers().map(|(_, size)| size));
    json!({
        "name": method.name(),
        "container_meta_type": {
            "encoded_inp_str": method.encoded_inputs(),
            "encoded_out_str": method.encoded_outputs(),
        },
        "values": list(method.values(), |v| value_json(&v)),
        "inputs": ids(method.inputs().collect()),
        "outputs": ids(method.outputs().collect()),
        "chains": list(method.chains(), |c| chain_json(&c)),
        "operators": list(
            method.operators(),
            |o| json!({ "name": o.name, "overload": o.overload }),
        ),
        "delegates": list(method.delegates(), |d| {
            let (location, index) = match d.processed().expect("a payload") {
                Processed::Inline(index) => ("INLINE", index),
                Processed::Segment(index) => ("SEGMENT", index),
            };
            json!({
                "id": d.id(),
                "processed": { "location": location, "index": index },
                "compile_specs": list(
                    d.compile_specs(),
                    |spec| json!({ "key": spec.key, "value": spec.value }),
                ),
            })
        }),
        "non_const_buffer_sizes": sizes,
    })
}

fn chain_json(chain: &pte::Chain<'_>) -> Json {
    let mut json = json!({
        "inputs": [],
        "outputs": [],
        "instructions": list(chain.instructions(), instruction_json),
    });
    let stacks: Vec<Json> = (0..chain.instruction_count() as u32)
        .map(|index| {
            list(chain.frames(InstructionId(index)), |frame| {
                json!({
                    "filename": frame.file,
                    "lineno": frame.line,
                    "name": frame.function,
                    "context": frame.code,
                })
            })
        })
        .map(|items| json!({ "items": items }))
        .collect();
    if stacks.iter().any(|stack| stack["items"] != json!([])) {
        json["stacktrace"] = json!(stacks);
    }
    json
}

fn instruction_json(instruction: Instruction<'_>) -> Json {
    let (kind, fields) = match instruction {
        Instruction::KernelCall { operator, args } => (
            "KernelCall",
            json!({ "op_index": operator.0, "args": list(args.ids(), |id| json!(id.0)) }),
        ),
        Instruction::DelegateCall { delegate, args } => (
            "DelegateCall",
            json!({ "delegate_index": delegate.0, "args": list(args.ids(), |id| json!(id.0)) }),
        ),
        Instruction::Move { from, to } => {
            ("MoveCall", json!({ "move_from": from.0, "move_to": to.0 }))
        }
        Instruction::JumpFalse { condition, destination } => (
            "JumpFalseCall",
            json!({ "cond_value_index": condition.0, "destination_instruction": destination.0 }),
        ),
        Instruction::Free { value } => ("FreeCall", json!({ "value_index": value.0 })),
        Instruction::Unknown(tag) => panic!("instruction of kind {tag}"),
    };
    json!({ "instr_args_type": kind, "instr_args": fields })
}

fn value_json(value: &Value<'_>) -> Json {
    let optional = |id: Option<et_schema::ids::ValueId>| id.map_or(json!(-1), |id| json!(id.0));
    let (kind, fields) = match value {
        Value::Null => ("Null", json!({})),
        Value::Int(v) => ("Int", json!({ "int_val": v })),
        Value::Bool(v) => ("Bool", json!({ "bool_val": v })),
        Value::Double(v) if v.is_finite() => ("Double", json!({ "double_val": v })),
        Value::Double(v) => ("Double", json!({ "double_val": v.to_string() })),
        Value::String(v) => ("String", json!({ "string_val": v })),
        Value::Tensor(tensor) => ("Tensor", tensor_json(tensor)),
        Value::IntList(v) => ("IntList", json!({ "items": list(v.ids(), |id| json!(id.0)) })),
        Value::DoubleList(v) => ("DoubleList", json!({ "items": list(v.iter(), |v| json!(v)) })),
        Value::BoolList(v) => ("BoolList", json!({ "items": list(v.iter(), |v| json!(v)) })),
        Value::TensorList(v) => ("TensorList", json!({ "items": list(v.ids(), optional) })),
        Value::OptionalTensorList(v) => {
            ("OptionalTensorList", json!({ "items": list(v.ids(), optional) }))
        }
        Value::Unknown(tag) => panic!("value of kind {tag}"),
    };
    json!({ "val_type": kind, "val": fields })
}

fn tensor_json(tensor: &Tensor<'_>) -> Json {
    let mut json = json!({
        "scalar_type": enumerator(tensor.scalar_type()),
        "storage_offset": tensor.storage_offset(),
        "sizes": tensor.sizes().iter().collect::<Vec<_>>(),
        "dim_order": tensor.dim_order(),
        "data_buffer_idx": tensor.data_buffer_idx().map_or(0, |index| index.get()),
        "layout": tensor.layout(),
        "shape_dynamism": match tensor.dynamism() {
            Dynamism::Static => "STATIC",
            Dynamism::DynamicBound => "DYNAMIC_BOUND",
            Dynamism::DynamicUnbound => "DYNAMIC_UNBOUND",
        },
    });
    if let Some(place) = tensor.allocation() {
        json["allocation_info"] = json!({
            "memory_id": place.memory_id.0,
            "memory_offset_low": place.offset as u32,
            "memory_offset_high": place.offset >> 32,
        });
    }
    if tensor.name().is_some() || tensor.location() == Location::External {
        json["extra_tensor_info"] = json!({
            "fully_qualified_name": tensor.name(),
            "location": match tensor.location() {
                Location::Segment => "SEGMENT",
                Location::External => "EXTERNAL",
            },
        });
    }
    json
}

/// Takes out of flatc's JSON what the readers leave out.
fn without(json: &mut Json, fields: &[&str]) {
    match json {
        Json::Array(items) => items.iter_mut().for_each(|item| without(item, fields)),
        Json::Object(object) => {
            object.retain(|name, _| !fields.contains(&name.as_str()));
            object.values_mut().for_each(|value| without(value, fields));
        }
        _ => {}
    }
}

/// The first difference, as a path and both sides.
fn difference(path: &str, found: &Json, expected: &Json) -> Option<String> {
    match (found, expected) {
        (Json::Object(a), Json::Object(b)) => a
            .keys()
            .chain(b.keys().filter(|name| !a.contains_key(*name)))
            .find_map(|name| difference(&format!("{path}.{name}"), &found[name], &expected[name])),
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(i, (a, b))| difference(&format!("{path}[{i}]"), a, b)),
        // flatc writes twelve digits.
        (Json::Number(a), Json::Number(b)) if b.is_f64() => {
            let (a, b) = (a.as_f64().unwrap_or(f64::NAN), b.as_f64().unwrap_or(f64::NAN));
            let close = (a - b).abs() <= b.abs() * 1e-11 + 1e-12;
            (!close).then(|| format!("{path}: found {found}, expected {expected}"))
        }
        _ => (found != expected).then(|| format!("{path}: found {found}, expected {expected}")),
    }
}

#[test]
fn programs_are_read_as_flatc_reads_them() {
    for name in PROGRAMS {
        let mut expected = recorded(&format!("models/{name}/program.json"));
        without(
            &mut expected,
            &["requires_grad", "mutable_data_segments_idx", "device_type", "device_index"],
        );
        let bytes = fixture(&format!("models/{name}/model.pte"));
        let found = program_json(&pte::File::parse(&bytes).expect("a program"));
        assert_eq!(difference(name, &found, &expected), None);
    }
}

#[test]
fn tensor_data_files_are_read_as_flatc_reads_them() {
    let expected = recorded("models/mlp_ptd/_default_external_constant.ptd.json");
    let bytes = fixture("models/mlp_ptd/_default_external_constant.ptd");
    let file = ptd::File::parse(&bytes).expect("a tensor data file");
    let found = json!({
        "version": file.version(),
        "segments": list(file.segments(), |s| json!({ "offset": s.offset, "size": s.size })),
        "named_data": list(file.entries(), |entry| {
            let layout = entry.tensor_layout().expect("a tensor");
            json!({
                "key": entry.key(),
                "segment_index": entry.segment_index(),
                "tensor_layout": {
                    "scalar_type": enumerator(layout.scalar_type()),
                    "sizes": layout.sizes().iter().collect::<Vec<_>>(),
                    "dim_order": layout.dim_order(),
                },
            })
        }),
    });
    assert_eq!(difference("ptd", &found, &expected), None);
    let sizes: Vec<usize> =
        file.entries().map(|entry| file.data(&entry).expect("data").len()).collect();
    assert_eq!(sizes, [1024, 64, 512, 32]);
}

#[test]
fn bundled_programs_are_read_as_flatc_reads_them() {
    let expected = recorded("models/linear/bundled.json");
    let bytes = fixture("models/linear/model.bpte");
    let file = bundled::File::parse(&bytes).expect("a bundled program");
    let value = |value: bundled::Value<'_>| match value {
        bundled::Value::Tensor(tensor) => json!({
            "val_type": "Tensor",
            "val": {
                "scalar_type": enumerator(tensor.scalar_type()),
                "sizes": tensor.sizes().iter().collect::<Vec<_>>(),
                "data": tensor.data(),
                "dim_order": tensor.dim_order(),
            },
        }),
        other => panic!("{other:?}"),
    };
    let found = json!({
        "version": file.version(),
        "method_test_suites": list(file.suites(), |suite| json!({
            "method_name": suite.method(),
            "test_cases": list(suite.cases(), |case| json!({
                "inputs": list(case.inputs(), value),
                "expected_outputs": list(case.expected_outputs(), value),
            })),
        })),
    });
    assert_eq!(difference("bundled", &found, &expected), None);
    assert_eq!(file.program(), fixture("models/linear/model.pte"));
}
