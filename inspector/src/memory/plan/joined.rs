//! Sums of live bytes.
//!
//! Where branches join, a value is one of several tensors: each of them may be
//! what is read later, and one of them is. Such alternatives count once, with
//! the bytes of the largest.

use super::lifetimes::Storage;
use super::steps::Step;
use et_schema::ids::{MemoryId, ValueId};
use std::collections::BTreeMap;

/// Alternatives of one value above which each counts by itself.
const MAX_ALTERNATIVES: usize = 64;

/// A sum that changes by so many bytes at a step.
type Delta = (Step, i128);

/// Changes of the sum of live bytes in order of steps, each storage with as
/// many bytes as `size` makes of its own. What ends at a step does so before
/// what begins there.
pub(super) fn deltas<'s>(
    storages: impl Iterator<Item = &'s Storage>,
    size: impl Fn(u64) -> u64,
) -> Vec<Delta> {
    let mut deltas = Vec::new();
    let mut joined: BTreeMap<(MemoryId, ValueId), Vec<&Storage>> = BTreeMap::new();
    for storage in storages {
        deltas.extend(of_ranges(&storage.ranges, size(storage.bytes)));
        if let Some(value) = storage.merged.filter(|_| !storage.through.is_empty()) {
            joined.entry((storage.memory_id, value)).or_default().push(storage);
        }
    }
    for alternatives in joined.into_values() {
        if (2..=MAX_ALTERNATIVES).contains(&alternatives.len()) {
            deltas.extend(superfluous(&alternatives, &size));
        }
    }
    deltas.sort_unstable();
    deltas
}

fn of_ranges(ranges: &[(Step, Step)], bytes: u64) -> impl Iterator<Item = Delta> {
    let bytes = i128::from(bytes);
    ranges.iter().flat_map(move |(first, last)| [(*first, bytes), (last.saturating_add(1), -bytes)])
}

/// What the alternatives count too much: all but the largest, wherever several
/// are live as alternatives only.
fn superfluous(alternatives: &[&Storage], size: &impl Fn(u64) -> u64) -> Vec<Delta> {
    let ranges = alternatives.iter().flat_map(|storage| &storage.through);
    let mut bounds: Vec<Step> =
        ranges.flat_map(|(first, last)| [*first, last.saturating_add(1)]).collect();
    bounds.sort_unstable();
    bounds.dedup();
    let mut deltas = Vec::new();
    for pair in bounds.windows(2) {
        let covers = |(first, last): &(Step, Step)| *first <= pair[0] && pair[0] <= *last;
        let live = alternatives.iter().filter(|storage| storage.through.iter().any(covers));
        let (mut sum, mut largest) = (0i128, 0i128);
        for storage in live {
            let bytes = i128::from(size(storage.bytes));
            (sum, largest) = (sum + bytes, largest.max(bytes));
        }
        if sum > largest {
            deltas.extend([(pair[0], largest - sum), (pair[1], sum - largest)]);
        }
    }
    deltas
}
