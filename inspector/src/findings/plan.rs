//! `ETM002` to `ETM004`: what is wrong or wasteful in a memory plan.

use super::{Code, Finding};
use crate::memory::operator_name;
use crate::memory::plan::{Overlap, Plan, Role, Step, Storage};
use et_schema::pte::{Method, Value};

/// A plan that wastes less than this share of its bytes is as good as others.
const WASTE_PERCENT: u64 = 10;

/// The findings about the memory plan of `method`.
pub fn plan_findings(plan: &Plan, method: &Method<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        plan.overlaps(method).iter().map(|overlap| damaged(plan, method, overlap)).collect();
    for buffer in &plan.buffers {
        let waste = buffer.size.saturating_sub(buffer.lower_bound);
        // Alignment to 16 bytes wastes more of tiny plans than any planner.
        if waste > 1024 && waste.saturating_mul(100) > buffer.size.saturating_mul(WASTE_PERCENT) {
            findings.push(wasteful(buffer.memory_id.0, buffer.size, buffer.lower_bound));
        }
    }
    findings.extend(never_written(plan, method));
    findings
}

/// The first of the inputs that the program plans no memory for, with how many
/// there are. Firmware that fills inputs in place has nowhere to write to.
pub fn unplanned_input(method: &Method<'_>) -> Option<Finding> {
    let unplanned = |id| match method.value(id) {
        Ok(Value::Tensor(tensor)) if tensor.allocation().is_none() => tensor.nbytes(),
        _ => None,
    };
    let mut inputs = method.inputs().enumerate().filter_map(|(n, id)| Some((n, unplanned(id)?)));
    let (first, bytes) = inputs.next().filter(|(_, bytes)| *bytes > 0)?;
    let page = Code::InputUnplanned.page();
    let finding = Finding::new(
        Code::InputUnplanned,
        format!("input {first} of {bytes} bytes has no planned memory: the caller must give it"),
        page.remedy,
    );
    Some(finding.with("input", first).with("bytes", bytes).with("inputs", 1 + inputs.count()))
}

/// Planned outputs of the method that no instruction writes.
fn never_written(plan: &Plan, method: &Method<'_>) -> Vec<Finding> {
    let inputs: Vec<_> = method.inputs().collect();
    let storages = plan.storages.iter().filter(|storage| storage.written.is_none());
    let lost = storages.filter(|storage| {
        storage.role == Role::Output && !storage.values.iter().any(|id| inputs.contains(id))
    });
    lost.map(|storage| {
        let value = storage.values[0];
        let page = Code::OutputNeverWritten.page();
        Finding::new(
            Code::OutputNeverWritten,
            format!("no instruction writes value {value}, an output of the method"),
            page.remedy,
        )
        .with("value", value)
        .with("bytes", storage.bytes)
    })
    .collect()
}

fn damaged(plan: &Plan, method: &Method<'_>, overlap: &Overlap) -> Finding {
    match *overlap {
        Overlap::Outside { storage, size } => outside(plan, method, storage, size),
        Overlap::Shared { first, second, step, bytes } => {
            let (a, b) = (&plan.storages[first], &plan.storages[second]);
            let at = plan.steps.place(step);
            let place = at.map_or_else(String::new, |(c, i)| format!("{c}:{i}"));
            Finding {
                code: Code::Overlap,
                title: format!(
                    "values {} and {} share {bytes} bytes of planned buffer {} while both are \
                     live, from instruction {place} on",
                    a.values[0], b.values[0], a.memory_id
                ),
                evidence: vec![
                    ("memory_id", a.memory_id.to_string()),
                    ("first_value", a.values[0].to_string()),
                    ("first_bytes", format!("{}..{}", a.offset, a.end())),
                    ("second_value", b.values[0].to_string()),
                    ("second_bytes", format!("{}..{}", b.offset, b.end())),
                    ("shared_bytes", bytes.to_string()),
                ],
                remedy: remedy(a).into(),
                at,
                operator: at.map(|at| operator_name(method, at)),
            }
        }
    }
}

fn remedy(overwritten: &Storage) -> &'static str {
    if overwritten.merged.is_some() {
        return "the first is the result of a branch, and ExecuTorch's memory planning takes its \
                life to end there: copy what torch.cond returns, as with .clone(), before it is used";
    }
    "export again with ExecuTorch's own memory planning pass; if it is a custom one, check the \
     lifetimes that it is given"
}

fn outside(plan: &Plan, method: &Method<'_>, storage: usize, size: u64) -> Finding {
    let tensor = &plan.storages[storage];
    let at = tensor.first().and_then(|step: Step| plan.steps.place(step));
    Finding {
        code: Code::OutsideBuffer,
        title: format!(
            "value {} ends at byte {} of planned buffer {}, which has {size} bytes",
            tensor.values[0],
            tensor.end(),
            tensor.memory_id
        ),
        evidence: vec![
            ("value", tensor.values[0].to_string()),
            ("memory_id", tensor.memory_id.to_string()),
            ("end_bytes", tensor.end().to_string()),
            ("buffer_bytes", size.to_string()),
        ],
        remedy: "export the program again: its plan and its buffer sizes disagree".into(),
        at,
        operator: at.map(|at| operator_name(method, at)),
    }
}

fn wasteful(memory_id: u32, size: u64, lower_bound: u64) -> Finding {
    Finding {
        code: Code::Fragmented,
        title: format!(
            "planned buffer {memory_id} has {size} bytes, and never more than {lower_bound} are live"
        ),
        evidence: vec![
            ("memory_id", memory_id.to_string()),
            ("size_bytes", size.to_string()),
            ("lower_bound_bytes", lower_bound.to_string()),
            ("wasted_bytes", (size - lower_bound).to_string()),
        ],
        remedy: "plan with another algorithm: MemoryPlanningPass(memory_planning_algo=greedy) or \
                 a suite of several, which keeps the smallest"
            .into(),
        at: None,
        operator: None,
    }
}
