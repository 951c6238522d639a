//! Another order of independent instructions: each right before the first one
//! that reads what it writes.
//!
//! Only for a method with one chain of kernel and delegate calls: jumps and
//! Moves fix the order.

use super::in_place::storage_of;
use super::layout::Layout;
use super::{Change, Suggestion};
use crate::memory::plan::{Plan, Role, Step, Storage};
use et_schema::ids::ValueId;
use et_schema::operators::{Kind, find_overload};
use et_schema::pte::{Instruction, Method, Value};

/// Instructions that the suggestion names.
const MAX_NAMED: usize = 100;

/// What each instruction touches.
struct Graph {
    /// Storages by instruction.
    touches: Vec<Vec<usize>>,
    /// Instructions that must come before.
    before: Vec<Vec<Step>>,
}

pub(super) fn suggest(
    method: &Method<'_>,
    plan: &Plan,
    layout: &Layout,
    ours: u64,
) -> Option<Suggestion> {
    let graph = Graph::new(method, plan)?;
    let order = late_order(&graph);
    let mut position = vec![0; order.len()];
    for (at, step) in order.iter().enumerate() {
        position[*step as usize] = at as Step;
    }
    let mut lives: Vec<Option<(Step, Step)>> = vec![None; plan.storages.len()];
    for (step, touches) in graph.touches.iter().enumerate() {
        let at = position[step];
        for storage in touches {
            let life = lives[*storage].get_or_insert((at, at));
            *life = (life.0.min(at), life.1.max(at));
        }
    }
    let end = plan.steps.count().saturating_sub(1);
    let life = |index: usize| {
        let (first, last) = lives[index]?;
        Some(match plan.storages[index].role {
            Role::State => (0, end),
            Role::Input => (0, last),
            Role::Output if plan.storages[index].written.is_none() => (0, end),
            Role::Output => (first, end),
            Role::Intermediate => (first, last),
        })
    };
    let planned = layout.with_lives(life).planned();
    if planned >= ours {
        return None;
    }
    let moved: Vec<Step> = (0..plan.steps.count()).filter(|s| position[*s as usize] > *s).collect();
    Some(Suggestion {
        change: Change::Reorder,
        title: format!(
            "run {} instructions later, right before what they compute is read",
            moved.len()
        ),
        planned,
        saves: 0,
        parts: Vec::new(),
        values: written(plan, &moved),
        steps: moved.into_iter().take(MAX_NAMED).collect(),
    })
}

/// What the instructions `steps` write, largest first.
fn written(plan: &Plan, steps: &[Step]) -> Vec<ValueId> {
    let is_of =
        |storage: &&Storage| storage.written.is_some_and(|s| steps.binary_search(&s).is_ok());
    let mut written: Vec<&Storage> = plan.storages.iter().filter(is_of).collect();
    written.sort_by_key(|storage| std::cmp::Reverse(storage.bytes));
    written.into_iter().take(MAX_NAMED).map(|storage| storage.values[0]).collect()
}

impl Graph {
    fn new(method: &Method<'_>, plan: &Plan) -> Option<Self> {
        let chain = method.chains().next().filter(|_| method.chain_count() == 1)?;
        let storage_of = storage_of(method, plan);
        let count = chain.instruction_count();
        let mut graph =
            Graph { touches: Vec::with_capacity(count), before: Vec::with_capacity(count) };
        let mut last_write: Vec<Option<Step>> = vec![None; plan.storages.len()];
        let mut readers: Vec<Vec<Step>> = vec![Vec::new(); plan.storages.len()];
        for (at, instruction) in chain.instructions().enumerate() {
            let args = match instruction {
                Instruction::KernelCall { operator, args } => {
                    let operator = method.operator(operator).ok()?;
                    let signature = find_overload(operator.name, operator.overload)?;
                    // Numbers that are computed order instructions too.
                    if signature.args.iter().any(|arg| arg.out && arg.kind != Kind::Tensor) {
                        return None;
                    }
                    args
                }
                Instruction::DelegateCall { args, .. } => args,
                _ => return None,
            };
            let (mut touches, mut before) = (Vec::new(), Vec::new());
            for id in args.ids() {
                if matches!(
                    method.value(id).ok()?,
                    Value::TensorList(_) | Value::OptionalTensorList(_)
                ) {
                    return None;
                }
                touches.extend(storage_of.get(id.index()).copied().flatten());
            }
            touches.sort_unstable();
            touches.dedup();
            let step = at as Step;
            for &storage in &touches {
                let writes = plan.storages[storage].written == Some(step)
                    || plan.storages[storage].role == Role::State;
                before.extend(last_write[storage]);
                if writes {
                    before.append(&mut readers[storage]);
                    last_write[storage] = Some(step);
                } else {
                    readers[storage].push(step);
                }
            }
            graph.touches.push(touches);
            graph.before.push(before);
        }
        Some(graph)
    }
}

/// Every instruction after all that it needs, and otherwise as late as the
/// first one that needs it.
fn late_order(graph: &Graph) -> Vec<Step> {
    let count = graph.before.len();
    let mut is_needed = vec![false; count];
    for before in &graph.before {
        before.iter().for_each(|step| is_needed[*step as usize] = true);
    }
    let mut order = Vec::with_capacity(count);
    let mut state = vec![false; count];
    let mut stack: Vec<(Step, usize)> = Vec::new();
    for root in (0..count as Step).filter(|step| !is_needed[*step as usize]) {
        stack.push((root, 0));
        state[root as usize] = true;
        while let Some((step, next)) = stack.pop() {
            match graph.before[step as usize].get(next) {
                Some(&needed) => {
                    stack.push((step, next + 1));
                    if !state[needed as usize] {
                        state[needed as usize] = true;
                        stack.push((needed, 0));
                    }
                }
                None => order.push(step),
            }
        }
    }
    order
}
