//! What a failed run says about the program.

use super::board::Board;
use et_inspector::findings::{
    Fault, Finding, Limits, TensorAt, guarded, missing_backend, missing_operator, pool_exhausted,
    stubbed_backend,
};
use et_inspector::memory::{LoadRequest, Requirements};
use et_runtime::guard::{Kind, TensorUse, Violation};
use et_runtime::{Error, Program};
use et_schema::ErrorCode;
use et_schema::pte::{File, Instruction, Method, Value};
use std::collections::{BTreeMap, BTreeSet};

/// How the runtime words it, as ExecuTorch does.
const ENDLESS: &str = "Possible infinite loop";

/// The findings behind `error`, which running method `name` of `program` ended with.
///
/// `max_instructions` is the limit that the run had.
pub fn of(
    program: &Program<'_>,
    name: &str,
    board: &Board,
    max_instructions: u64,
    error: &Error,
) -> Vec<Finding> {
    let file = program.file();
    let Some(method) = file.method(name) else { return Vec::new() };
    match error.code {
        ErrorCode::MemoryAllocationFailed if !board.findings.is_empty() => board.findings.clone(),
        ErrorCode::MemoryAllocationFailed => {
            let request = LoadRequest {
                file,
                method: &method,
                abi: board.abi,
                temp_pool: board.limits.temp,
                external_data: program.has_external_data(),
            };
            let limits = Limits { method: board.limits.method, planned: board.limits.planned };
            Requirements::of(request).map(|n| pool_exhausted(&n, limits)).unwrap_or_default()
        }
        ErrorCode::OperatorMissing => et_runtime::missing_operators(&method)
            .unwrap_or_default()
            .into_iter()
            .map(|m| {
                let (instructions, dtypes) = calls(&method, &m.name);
                missing_operator(&m.name, m.first, m.count)
                    .with("instructions", instructions)
                    .with("dtypes", dtypes)
            })
            .collect(),
        ErrorCode::NotFound => method
            .delegates()
            .filter(|delegate| !et_runtime::runs_backend(delegate.id()))
            .map(|delegate| missing_backend(delegate.id()))
            .fold(Vec::new(), |mut found, finding| {
                if !found.contains(&finding) {
                    found.push(finding);
                }
                found
            }),
        ErrorCode::InvalidProgram if error.message.starts_with(ENDLESS) => {
            let fault = Fault::RunsAway(max_instructions);
            vec![guarded(fault, error.at, error.operator.clone(), &[], &(0..0))]
        }
        _ => Vec::new(),
    }
}

/// Every instruction of `method` that calls `operator`, and the element types of
/// the tensors that it is given.
fn calls(method: &Method<'_>, operator: &str) -> (String, String) {
    let (mut places, mut dtypes) = (Vec::new(), BTreeSet::new());
    for (chain, instructions) in method.chains().enumerate() {
        for (index, instruction) in instructions.instructions().enumerate() {
            let Instruction::KernelCall { operator: id, args } = instruction else { continue };
            if !method.operator(id).is_ok_and(|own| own.to_string() == operator) {
                continue;
            }
            places.push(format!("{chain}:{index}"));
            let tensors = args.ids().filter_map(|id| match method.value(id) {
                Ok(Value::Tensor(tensor)) => tensor.scalar_type().ok(),
                _ => None,
            });
            dtypes.extend(tensors.map(|dtype| dtype.to_string()));
        }
    }
    (places.join(", "), Vec::from_iter(dtypes).join(", "))
}

/// The delegates of method `name` that a run only stands in for.
pub fn of_stubs(file: &File<'_>, name: &str) -> Vec<Finding> {
    let mut calls: BTreeMap<&str, usize> = BTreeMap::new();
    let Some(method) = file.method(name) else { return Vec::new() };
    for delegate in method.delegates() {
        *calls.entry(delegate.id()).or_default() += 1;
    }
    calls.into_iter().map(|(backend, count)| stubbed_backend(backend, count)).collect()
}

/// What a guarded run saw.
pub fn of_violations(violations: &[Violation]) -> Vec<Finding> {
    violations
        .iter()
        .map(|violation| {
            let tensors: Vec<TensorAt> = violation.tensors.iter().map(tensor_at).collect();
            let operator = violation.operator.clone();
            guarded(fault(violation.kind), violation.at, operator, &tensors, &violation.bytes)
        })
        .collect()
}

fn fault(kind: Kind) -> Fault {
    match kind {
        Kind::WriteOutside => Fault::WriteOutside,
        Kind::NeverWritten => Fault::NeverWritten,
        Kind::StateWithoutValue => Fault::StateWithoutValue,
        Kind::BytesReused(chain, instruction) => Fault::BytesReused((chain, instruction)),
        Kind::LiveOverlap => Fault::LiveOverlap,
        Kind::WrittenTwice(chain, instruction) => Fault::WrittenTwice((chain, instruction)),
        Kind::OverwritesInput => Fault::OverwritesInput,
        Kind::NonFinite { count, first } => Fault::NonFinite(count, first),
        Kind::OutputNeverWritten => Fault::OutputNeverWritten,
    }
}

fn tensor_at(tensor: &TensorUse) -> TensorAt {
    TensorAt {
        value: tensor.value,
        scalar_type: tensor.scalar_type,
        sizes: tensor.sizes.clone(),
        memory_id: tensor.memory_id,
        bytes: tensor.bytes.clone(),
    }
}
