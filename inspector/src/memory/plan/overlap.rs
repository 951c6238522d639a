//! Live tensors that share bytes.
//!
//! Views, sources of Moves that join branches, and element-wise operators that
//! write over the input that they read last share on purpose. All else would
//! overwrite what is still needed.

use super::{Plan, Step, Storage};
use et_schema::ids::MemoryId;
use et_schema::pte::{Instruction, Method};
use std::collections::BTreeMap;

/// As many are told of; a program with more has one cause for all.
const MAX_REPORTED: usize = 100;

/// Two storages with bytes in common while both are live, or one that reaches
/// out of its planned buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// Indices in [`Plan::storages`], and the first step at which both are live.
    Shared {
        /// The one that was there.
        first: usize,
        /// The one that is written over it.
        second: usize,
        /// When.
        step: Step,
        /// Bytes in common.
        bytes: u64,
    },
    /// A tensor that ends behind its planned buffer, or has none.
    Outside {
        /// Index in [`Plan::storages`].
        storage: usize,
        /// Size of the planned buffer, 0 if there is none.
        size: u64,
    },
}

/// A live range in the order in which ranges begin.
struct Begin {
    step: Step,
    last: Step,
    storage: usize,
}

type Place = (MemoryId, u64, usize);

pub(super) fn overlaps(plan: &Plan, method: &Method<'_>) -> Vec<Overlap> {
    let mut found = outside(plan);
    let mut begins = Vec::new();
    for (storage, s) in plan.storages.iter().enumerate().filter(|(_, s)| s.bytes > 0) {
        begins.extend(s.ranges.iter().map(|&(step, last)| Begin { step, last, storage }));
    }
    begins.sort_by_key(|b| (b.step, b.storage));
    // The live storages, disjoint but for what was reported, and when they end.
    let mut live: BTreeMap<Place, Step> = BTreeMap::new();
    let mut ends: BTreeMap<Step, Vec<Place>> = BTreeMap::new();
    for begin in begins {
        while let Some(entry) = ends.first_entry().filter(|e| *e.key() < begin.step) {
            for place in entry.remove() {
                live.remove(&place);
            }
        }
        let storage = &plan.storages[begin.storage];
        for other in sharing(&live, plan, storage) {
            let first = &plan.storages[other.2];
            let is_replaced =
                live[&other] == begin.step && writes_over(plan, method, first, storage, begin.step);
            if is_replaced {
                live.remove(&other);
            } else if first.merged.is_none() || first.merged != storage.merged {
                let bytes = first.end().min(storage.end()) - first.offset.max(storage.offset);
                let (first, second) = (other.2, begin.storage);
                found.push(Overlap::Shared { first, second, step: begin.step, bytes });
            }
            if found.len() >= MAX_REPORTED {
                return found;
            }
        }
        let place = (storage.memory_id, storage.offset, begin.storage);
        live.insert(place, begin.last);
        ends.entry(begin.last).or_default().push(place);
    }
    found
}

fn outside(plan: &Plan) -> Vec<Overlap> {
    let size_of = |storage: &Storage| {
        let index = storage.memory_id.index().checked_sub(1)?;
        Some(plan.buffers.get(index)?.size)
    };
    let checked = plan.storages.iter().enumerate().map(|(i, s)| (i, s, size_of(s)));
    checked
        .filter(|(_, storage, size)| size.is_none_or(|size| storage.end() > size))
        .map(|(storage, _, size)| Overlap::Outside { storage, size: size.unwrap_or(0) })
        .take(MAX_REPORTED)
        .collect()
}

/// The live storages with bytes in common. What lies before is only looked at
/// as far as the nearest: live storages are disjoint in a sound plan.
fn sharing(live: &BTreeMap<Place, Step>, plan: &Plan, storage: &Storage) -> Vec<Place> {
    let (id, offset, end) = (storage.memory_id, storage.offset, storage.end());
    let before = live.range((id, 0, 0)..(id, offset, 0)).next_back();
    let after = live.range((id, offset, 0)..(id, end, 0)).take(MAX_REPORTED);
    let before = before.filter(|(place, _)| plan.storages[place.2].end() > offset);
    before.into_iter().chain(after).map(|(place, _)| *place).collect()
}

/// Whether `step` may put its output where its input lies.
fn writes_over(
    plan: &Plan,
    method: &Method<'_>,
    input: &Storage,
    output: &Storage,
    step: Step,
) -> bool {
    if input.offset != output.offset || output.written != Some(step) {
        return false;
    }
    let Some((chain, at)) = plan.steps.place(step) else { return false };
    let instruction = method.chain(chain).ok().and_then(|chain| chain.instruction(at));
    let Some(Instruction::KernelCall { operator, .. }) = instruction else { return false };
    method.operator(operator).is_ok_and(|o| super::super::operators::works_in_place(o.name))
}
