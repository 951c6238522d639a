//! Signatures against the kernel calls of real programs: every `model.pte`
//! under `tests/fixtures/models`, which ExecuTorch 1.5.1 exported.

use et_schema::ids::ValueId;
use et_schema::operators::{self, Kind, Signature};
use et_schema::pte::{File, Instruction, Method, Value};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn programs() -> Vec<PathBuf> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/models");
    let mut paths: Vec<_> = std::fs::read_dir(models)
        .expect("tests/fixtures/models is in the repository")
        .map(|entry| entry.expect("readable folder").path().join("model.pte"))
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    paths
}

/// Calls `check` with each kernel call of every program.
fn for_each_kernel_call(mut check: impl FnMut(&str, &Method<'_>, &str, &[ValueId])) {
    for path in programs() {
        let bytes = std::fs::read(&path).expect("readable program");
        let file = File::parse(&bytes).expect("valid program");
        for method in file.methods() {
            for instruction in method.chains().flat_map(|chain| chain.instructions()) {
                if let Instruction::KernelCall { operator, args } = instruction {
                    let operator = method.operator(operator).expect("operator of the call");
                    let args: Vec<_> = args.ids().collect();
                    check(&path.display().to_string(), &method, &operator.to_string(), &args);
                }
            }
        }
    }
}

/// The value slots after the arguments: what the call returns.
fn returned(method: &Method<'_>, args: &[ValueId]) -> Vec<ValueId> {
    match args {
        [one] => match method.value(*one).expect("returned value") {
            Value::TensorList(list) => list.ids().map(|id| id.expect("a tensor")).collect(),
            _ => vec![*one],
        },
        _ => args.to_vec(),
    }
}

#[test]
fn every_operator_of_the_exported_programs_has_a_signature() {
    let mut seen = BTreeSet::new();
    for_each_kernel_call(|path, _, name, _| {
        assert!(operators::find(name).is_some(), "{path}: {name} has no signature");
        seen.insert(name.to_owned());
    });
    assert!(seen.len() >= 90, "only {} operators in the programs", seen.len());
}

#[test]
fn arguments_of_the_exported_programs_are_of_the_kinds_in_the_signature() {
    for_each_kernel_call(|path, method, name, args| {
        let signature = operators::find(name).expect("a signature");
        assert!(args.len() >= signature.args.len(), "{path}: {name} has {} args", args.len());
        for (arg, id) in signature.args.iter().zip(args) {
            let value = method.value(*id).expect("argument");
            assert!(
                arg.kind.accepts(&value),
                "{path}: {name}: {} is {}, not {:?}",
                arg.name,
                value.kind(),
                arg.kind
            );
        }
    });
}

#[test]
fn calls_end_with_the_written_arguments_once_more() {
    for_each_kernel_call(|path, method, name, args| {
        let signature = operators::find(name).expect("a signature");
        let (own, rest) = args.split_at(signature.args.len());
        let mut written: Vec<_> =
            signature.args.iter().zip(own).filter(|(arg, _)| arg.out).map(|(_, id)| *id).collect();
        if signature.args.iter().any(|arg| arg.out && arg.kind == Kind::TensorList) {
            written = returned(method, &written);
        }
        if name.starts_with("executorch_prim::") || name == "aten::sym_size.int" {
            assert!(rest.is_empty(), "{path}: {name} returns {rest:?}");
        } else {
            assert_eq!(returned(method, rest), written, "{path}: {name}");
        }
    });
}

#[test]
fn names_are_sorted_and_unique() {
    for pair in operators::all().windows(2) {
        assert!(pair[0].name < pair[1].name, "{} before {}", pair[0].name, pair[1].name);
    }
}

#[test]
fn every_signature_is_found_by_name_and_by_overload() {
    for signature in operators::all() {
        assert_eq!(operators::find(signature.name), Some(signature));
        let (name, overload) = signature.name.rsplit_once('.').unwrap_or((signature.name, ""));
        assert_eq!(operators::find_overload(name, overload), Some(signature));
    }
    assert_eq!(operators::find("aten::add"), None);
    assert_eq!(operators::find_overload("aten::add", "ou"), None);
    assert_eq!(operators::find_overload("aten::copy_", "out"), None);
}

#[test]
fn every_operator_writes_something() {
    let silent = |s: &&Signature| !s.args.iter().any(|arg| arg.out);
    assert_eq!(operators::all().iter().find(silent), None);
}

#[test]
fn outputs_come_last_unless_the_operator_works_in_place() {
    let names: Vec<_> = operators::all()
        .iter()
        .filter(|s| !s.args.is_sorted_by_key(|arg| arg.out))
        .map(|s| s.name)
        .collect();
    let in_place = [
        "aten::_native_batch_norm_legit.out",
        "aten::copy_",
        "aten::index_put_",
        "executorch_prim::et_copy_index.tensor",
    ];
    assert_eq!(names, in_place);
}
