//! Element-wise outputs that could lie where an input lies that is read for
//! the last time.

use super::layout::Layout;
use super::{Change, Suggestion};
use crate::memory::operators::works_in_place;
use crate::memory::plan::{Plan, Role, Storage};
use et_schema::ids::ValueId;
use et_schema::pte::{Instruction, Method};

pub(super) fn suggest(method: &Method<'_>, plan: &Plan, layout: &Layout) -> Option<Suggestion> {
    let storage_of = storage_of(method, plan);
    let mut layout = layout.clone();
    // Where the bytes of a storage ended up, and whether they are given away.
    let mut home: Vec<usize> = (0..plan.storages.len()).collect();
    let mut given = vec![false; plan.storages.len()];
    let mut order: Vec<usize> = (0..plan.storages.len()).collect();
    order.retain(|index| plan.storages[*index].written.is_some());
    order.sort_by_key(|index| plan.storages[*index].written);
    let mut merged = Vec::new();
    for output in order {
        let Some(input) = input_of(method, plan, &storage_of, output, &given) else { continue };
        given[input] = true;
        home[output] = home[input];
        layout.merge(output, home[input]);
        merged.push(output);
    }
    if merged.is_empty() {
        return None;
    }
    merged.sort_by_key(|index| std::cmp::Reverse(plan.storages[*index].bytes));
    Some(Suggestion {
        change: Change::InPlace,
        title: format!(
            "let {} element-wise outputs take the bytes of an input that ends there",
            merged.len()
        ),
        planned: layout.planned(),
        saves: 0,
        parts: Vec::new(),
        values: merged.iter().map(|index| plan.storages[*index].values[0]).collect(),
        steps: merged.iter().filter_map(|index| plan.storages[*index].written).collect(),
    })
}

/// The storage that holds each value.
pub(super) fn storage_of(method: &Method<'_>, plan: &Plan) -> Vec<Option<usize>> {
    let mut of = vec![None; method.value_count()];
    for (index, storage) in plan.storages.iter().enumerate() {
        for value in &storage.values {
            if let Some(slot) = of.get_mut(value.index()) {
                *slot = Some(index);
            }
        }
    }
    of
}

/// An input of the instruction that writes `output`, of as many bytes, that
/// nothing reads later.
fn input_of(
    method: &Method<'_>,
    plan: &Plan,
    storage_of: &[Option<usize>],
    output: usize,
    given: &[bool],
) -> Option<usize> {
    let out = &plan.storages[output];
    let step = out.written.filter(|step| out.first() == Some(*step))?;
    let (chain, at) = plan.steps.place(step)?;
    let Instruction::KernelCall { operator, args } = method.chain(chain).ok()?.instruction(at)?
    else {
        return None;
    };
    if !works_in_place(method.operator(operator).ok()?.name) {
        return None;
    }
    let ends_here = |input: &Storage| {
        input.last() == Some(step)
            && input.bytes == out.bytes
            && input.memory_id == out.memory_id
            && input.ranges.len() == 1
            && matches!(input.role, Role::Intermediate)
    };
    args.ids()
        .filter_map(|id: ValueId| storage_of.get(id.index()).copied().flatten())
        .find(|input| *input != output && !given[*input] && ends_here(&plan.storages[*input]))
}
