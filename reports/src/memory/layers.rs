//! Live bytes by what wrote them: the layers of the chart over instructions.

use et_inspector::memory::plan::{Role, Storage};
use et_inspector::memory::{MethodMemory, operator_name};
use std::collections::HashMap;

/// What the layers are named after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The operator that writes a tensor.
    Operator,
    /// Its module in the model, as an ETRecord tells.
    Module,
}

/// Layers with a name of their own; the last one is of all others.
pub const LAYERS: usize = 8;

/// Levels of modules that are told apart.
const MODULE_LEVELS: usize = 8;

/// The part of all, as a divisor, that modules without a layer of their own may hold.
const MOST_OTHERS: u128 = 4;

/// Layers of live bytes, from the lowest to the highest.
pub struct Layers {
    /// Name of each layer.
    pub names: Vec<String>,
    /// Bytes of each layer in each column.
    pub columns: Vec<Vec<u64>>,
}

impl Layers {
    /// The layers of `memory` at `steps`, which ascend.
    pub fn at(memory: &MethodMemory<'_>, steps: &[usize], by: By) -> Self {
        let storages = &memory.plan.storages;
        let order = match by {
            By::Operator => writers(memory, by, usize::MAX),
            By::Module => modules(memory),
        };
        let mut layer_of = vec![0usize; storages.len()];
        let mut names: Vec<String> = Vec::new();
        let has_others = order.len() > LAYERS;
        let others = order.len().saturating_sub(LAYERS - 1);
        for (rank, (name, (_, members))) in order.into_iter().enumerate() {
            let is_other = has_others && rank >= LAYERS - 1;
            let layer = if is_other { LAYERS - 1 } else { rank };
            if layer == names.len() {
                names.push(if is_other { format!("{others} others") } else { name });
            }
            members.into_iter().for_each(|index| layer_of[index] = layer);
        }
        let columns = sums(storages, &layer_of, names.len(), steps);
        Layers { names, columns }
    }
}

/// A name with its weight, which is bytes times instructions, and its storages.
type Writer = (String, (u128, Vec<usize>));

/// All writers, the heaviest first. Of a module's name `depth` parts are kept.
fn writers(memory: &MethodMemory<'_>, by: By, depth: usize) -> Vec<Writer> {
    let mut writers: HashMap<String, (u128, Vec<usize>)> = HashMap::new();
    let storages = memory.plan.storages.iter().enumerate();
    for (index, storage) in storages.filter(|(_, storage)| storage.bytes > 0) {
        let weight = storage.ranges.iter().fold(0u128, |sum, (first, last)| {
            let steps = u128::from(last.saturating_sub(*first)) + 1;
            sum.saturating_add(u128::from(storage.bytes) * steps)
        });
        let name = writer(memory, storage, by);
        let end = name.match_indices('.').nth(depth.saturating_sub(1)).map(|(end, _)| end);
        let name = end.map_or_else(|| name.clone(), |end| name[..end].to_owned());
        let entry = writers.entry(name).or_default();
        entry.0 = entry.0.saturating_add(weight);
        entry.1.push(index);
    }
    let mut order: Vec<Writer> = writers.into_iter().collect();
    order.sort_by(|a, b| b.1.0.cmp(&a.1.0).then_with(|| a.0.cmp(&b.0)));
    order
}

/// Modules on the deepest level on which the named layers still hold most of all.
fn modules(memory: &MethodMemory<'_>) -> Vec<Writer> {
    let says_much = |order: &Vec<Writer>| {
        let weight = |all: &[Writer]| all.iter().fold(0u128, |sum, w| sum.saturating_add(w.1.0));
        let others = order.get(LAYERS - 1..).filter(|_| order.len() > LAYERS);
        weight(others.unwrap_or_default()) <= weight(order) / MOST_OTHERS
    };
    let levels = (1..=MODULE_LEVELS).rev().map(|depth| writers(memory, By::Module, depth));
    let mut deepest = levels.filter(says_much);
    deepest.next().unwrap_or_else(|| writers(memory, By::Module, 1))
}

/// What writes a tensor: the operator where it begins to live, or its module; or who
/// fills it before.
fn writer(memory: &MethodMemory<'_>, storage: &Storage, by: By) -> String {
    let at = storage.first().and_then(|step| memory.plan.steps.place(step));
    match (storage.role, at) {
        (Role::Input, _) => "inputs".to_owned(),
        (Role::State, _) => "state".to_owned(),
        (_, Some(at)) if by == By::Module => memory.module(at).unwrap_or("of no module").to_owned(),
        (_, Some(at)) => operator_name(&memory.method, at),
        (_, None) => "never live".to_owned(),
    }
}

/// Live bytes of each layer at each of `steps`.
fn sums(storages: &[Storage], layer_of: &[usize], count: usize, steps: &[usize]) -> Vec<Vec<u64>> {
    let mut deltas: Vec<(usize, usize, i128)> = Vec::new();
    for (storage, layer) in storages.iter().zip(layer_of) {
        for (first, last) in &storage.ranges {
            let bytes = i128::from(storage.bytes);
            deltas.push((*first as usize, *layer, bytes));
            deltas.push((last.saturating_add(1) as usize, *layer, -bytes));
        }
    }
    deltas.sort_unstable();
    let (mut live, mut next) = (vec![0i128; count], 0);
    let mut columns = Vec::with_capacity(steps.len());
    for step in steps {
        while let Some((_, layer, bytes)) = deltas.get(next).filter(|delta| delta.0 <= *step) {
            if let Some(sum) = live.get_mut(*layer) {
                *sum += bytes;
            }
            next += 1;
        }
        columns.push(live.iter().map(|sum| u64::try_from(*sum).unwrap_or(u64::MAX)).collect());
    }
    columns
}
