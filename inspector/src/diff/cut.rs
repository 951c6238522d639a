//! What only one of two traces has, where the other is cut off.
//!
//! A cut takes the runs that were recorded first, and the first events of one
//! run. An event that is not there may lie behind the cut: that it is gone is
//! known only if a whole run of the same kind is left without it, and if every
//! run has it, which no branch decides.

use super::traces::{EventKey, TraceDiff, times_by_event};
use crate::events::{Block, EventBlocks, EventRow, Times};
use et_schema::etdump::{DelegateId, Event, File, LOST_NAME};
use std::collections::HashSet;

/// The runtime's event of an instruction that may jump.
const BRANCH: &str = "JF_CALL";

/// Name, chain, instruction, and the delegate's operation.
type Key<'a> = (&'a str, i64, i32, Option<DelegateId<'a>>);

/// A whole run: its name and its events.
type Whole<'a> = (&'a str, HashSet<Key<'a>>);

/// The different whole runs of a trace.
fn whole_runs<'a>(file: &File<'a>) -> Vec<Whole<'a>> {
    let mut found: Vec<Whole<'a>> = Vec::new();
    let mut before: Vec<Key<'a>> = Vec::new();
    for run in file.runs().filter(|run| run.lost_events() == 0) {
        let events = run.events().filter_map(|event| match event {
            Event::Profile(e) => {
                Some((e.name, i64::from(e.chain_index), e.instruction_id, e.delegate_id))
            }
            _ => None,
        });
        let events: Vec<Key<'a>> = events.collect();
        // What names are lost says nothing of what is not there.
        let lost = |key: &Key<'_>| key.0 == LOST_NAME || key.3 == Some(DelegateId::Name(LOST_NAME));
        if run.name().is_empty() || events.iter().any(lost) {
            continue;
        }
        // Nearly all runs are like the one before.
        if events == before && found.last().is_some_and(|(name, _)| *name == run.name()) {
            continue;
        }
        before.clone_from(&events);
        let whole = (run.name(), events.into_iter().collect());
        if !found.contains(&whole) {
            found.push(whole);
        }
    }
    found
}

/// Whether one of `runs` is of the same kind as those of `block`: it has at
/// least half of their events.
fn is_of_one_kind(block: &Block<'_>, runs: &[Whole<'_>]) -> bool {
    runs.iter().filter(|(name, _)| *name == block.name).any(|(_, events)| {
        let keys = block.events.iter().map(|r| (r.name, r.chain, r.instruction, r.delegate_id));
        keys.filter(|key| events.contains(key)).count() * 2 >= block.events.len()
    })
}

/// The events of a run before its first branch, and that.
fn before_branches<'b, 'a>(block: &'b Block<'a>) -> impl Iterator<Item = &'b EventRow<'a>> {
    let branch = block.events.iter().position(|row| row.name == BRANCH);
    block.events.iter().take(branch.map_or(usize::MAX, |index| index + 1))
}

/// Takes those of `keys`, which `blocks` have and `other` has not, that may lie
/// behind the cut of `other`.
fn uncertain(
    keys: &mut Vec<EventKey>,
    blocks: &EventBlocks<'_>,
    other: &File<'_>,
) -> Vec<EventKey> {
    if other.truncation().is_none() {
        return Vec::new();
    }
    let runs = whole_runs(other);
    let covered: Vec<&Block<'_>> =
        blocks.blocks.iter().filter(|block| is_of_one_kind(block, &runs)).collect();
    // What only some runs of a kind have, as one branch of two, says nothing: neither
    // where both branches are seen, nor where one may be.
    let keys_of = |block: &&Block<'_>| -> HashSet<EventKey> {
        let of_kind = covered.iter().filter(|other| other.name == block.name);
        let in_all = |key: &EventKey| {
            of_kind.clone().all(|other| other.events.iter().any(|row| EventKey::of(row) == *key))
        };
        let own: HashSet<EventKey> = before_branches(block).map(EventKey::of).collect();
        keys.iter().filter(|key| own.contains(key) && in_all(key)).cloned().collect()
    };
    let known: HashSet<EventKey> = covered.iter().flat_map(keys_of).collect();
    let all = std::mem::take(keys);
    let (certain, uncertain) = all.into_iter().partition(|key| known.contains(key));
    *keys = certain;
    uncertain
}

/// The blocks of a trace, that of a run which has lost events last: it begins in
/// the middle, and would bring the events out of their order.
fn in_order<'b>(file: &File<'_>, blocks: &'b EventBlocks<'b>) -> Vec<&'b Block<'b>> {
    let mut all: Vec<&Block<'_>> = blocks.blocks.iter().collect();
    let is_cut = file.runs().next().is_some_and(|run| run.lost_events() > 0);
    if file.truncation().is_some() && is_cut && !all.is_empty() {
        all.rotate_left(1);
    }
    all
}

impl TraceDiff {
    /// As [`TraceDiff::of`], for traces that may be cut off: what may lie behind
    /// the cut of one is in [`TraceDiff::unknown`], not in [`TraceDiff::gone`]
    /// or [`TraceDiff::added`]. Events whose names are lost are those of no other.
    pub fn of_traces<'b>(
        base: (&File<'_>, &'b EventBlocks<'b>),
        new: (&File<'_>, &'b EventBlocks<'b>),
        times: &Times,
        min_effect: f64,
    ) -> Self {
        let by_event = |(file, blocks): (&File<'_>, &'b EventBlocks<'b>)| {
            times_by_event(in_order(file, blocks).into_iter(), times)
        };
        let mut diff = TraceDiff::of_times(by_event(base), by_event(new), min_effect);
        for (keys, own) in [(&mut diff.gone, base.0), (&mut diff.added, new.0)] {
            if own.truncation().is_some() {
                keys.retain(|key| key.name != LOST_NAME);
            }
        }
        diff.unknown = uncertain(&mut diff.gone, base.1, new.0);
        diff.unknown.extend(uncertain(&mut diff.added, new.1, base.0));
        diff
    }
}
