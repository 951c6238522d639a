//! Two traces, event by event.
//!
//! Events are matched by name, chain and delegate operation in the order in
//! which they come, so that an instruction that is new or gone shifts nothing;
//! where orders differ, by instruction. A change counts if it is at least as large as asked for and the Mann–Whitney
//! test over the runs finds it; the p values of all events together are held
//! to a false discovery rate (Benjamini and Hochberg), as a trace of hundreds
//! of operators has some that differ by chance.

use super::align::align;
use super::significance::{least_p_value, mann_whitney};
use crate::events::{Block, EventBlocks, EventRow, Statistics, Times};
use std::collections::HashMap;

/// Share of the changes that may be there by chance.
pub const FALSE_DISCOVERY_RATE: f64 = 0.05;

/// What makes an event of one trace that of the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventKey {
    /// Name; a delegate's operation goes by its id.
    pub name: String,
    /// Chain, -1 outside of chains.
    pub chain: i64,
    /// Instruction, -1 if unset.
    pub instruction: i32,
    /// Whether it is an operation of a delegate.
    pub in_delegate: bool,
}

impl EventKey {
    pub(super) fn of(row: &EventRow<'_>) -> Self {
        EventKey {
            name: row.display_name(),
            chain: row.chain,
            instruction: row.instruction,
            in_delegate: row.delegate_id.is_some(),
        }
    }
}

/// What is concluded of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It takes longer.
    Slower,
    /// It takes less.
    Faster,
    /// No change that is large enough and more than noise.
    Same,
    /// There are too few runs for any difference to be more than noise.
    TooFewRuns,
}

/// An event of both traces.
#[derive(Clone, Debug)]
pub struct Change {
    /// The event, where the base has it.
    pub key: EventKey,
    /// Its instruction in the new trace, if that is another.
    pub moved_to: Option<i32>,
    /// Times of the base trace.
    pub base: Statistics,
    /// Times of the new trace.
    pub new: Statistics,
    /// Probability of such a difference by chance.
    pub p_value: f64,
    /// Conclusion.
    pub verdict: Verdict,
}

impl Change {
    /// New median over that of the base, less 1; `None` if the base's is 0.
    pub fn relative(&self) -> Option<f64> {
        (self.base.p50 > 0.0).then(|| self.new.p50 / self.base.p50 - 1.0)
    }
}

/// What changed between two traces.
#[derive(Clone, Debug)]
pub struct TraceDiff {
    /// Events of both, in the order of the base.
    pub changes: Vec<Change>,
    /// Events of the base only.
    pub gone: Vec<EventKey>,
    /// Events of the new trace only.
    pub added: Vec<EventKey>,
    /// Events of one trace that may lie behind the cut of the other, if that
    /// is cut off ([`TraceDiff::of_traces`]).
    pub unknown: Vec<EventKey>,
}

/// Times of each event, in the order of first sight.
pub(super) fn times_by_event<'b>(
    blocks: impl Iterator<Item = &'b Block<'b>>,
    times: &Times,
) -> Timed {
    let mut found: Timed = Vec::new();
    let mut index_of: HashMap<EventKey, usize> = HashMap::new();
    let rows = blocks.flat_map(|block| &block.events);
    for row in rows.filter(|row| !row.samples.is_empty()) {
        let key = EventKey::of(row);
        let index = *index_of.entry(key.clone()).or_insert_with(|| {
            found.push((key, Vec::new()));
            found.len() - 1
        });
        found[index].1.extend(row.raw(times));
    }
    found
}

impl TraceDiff {
    /// Compares the traces. Medians that differ by less than the share
    /// `min_effect` of the base's are the same.
    pub fn of(
        base: &EventBlocks<'_>,
        new: &EventBlocks<'_>,
        times: &Times,
        min_effect: f64,
    ) -> Self {
        let by_event = |events: &EventBlocks<'_>| times_by_event(events.blocks.iter(), times);
        Self::of_times(by_event(base), by_event(new), min_effect)
    }

    /// The same of the times of each event.
    pub(super) fn of_times(base: Timed, new: Timed, min_effect: f64) -> Self {
        let partners = partners(&base, &new);
        let mut is_left = vec![true; new.len()];
        let (mut changes, mut gone) = (Vec::new(), Vec::new());
        for ((key, base), partner) in base.into_iter().zip(partners) {
            let Some(partner) = partner else {
                gone.push(key);
                continue;
            };
            is_left[partner] = false;
            let (place, new) = &new[partner];
            let (Some(of_base), Some(of_new)) = (Statistics::of(&base), Statistics::of(new)) else {
                continue;
            };
            let few = least_p_value(base.len(), new.len()) > FALSE_DISCOVERY_RATE;
            let moved_to = (place.instruction != key.instruction).then_some(place.instruction);
            changes.push(Change {
                key,
                moved_to,
                base: of_base,
                new: of_new,
                p_value: mann_whitney(&base, new),
                verdict: if few { Verdict::TooFewRuns } else { Verdict::Same },
            });
        }
        judge(&mut changes, min_effect);
        let left = new.into_iter().zip(is_left).filter(|(_, is_left)| *is_left);
        let added = left.map(|((key, _), _)| key).collect();
        TraceDiff { changes, gone, added, unknown: Vec::new() }
    }

    /// Whether anything takes longer.
    pub fn has_regression(&self) -> bool {
        self.changes.iter().any(|change| change.verdict == Verdict::Slower)
    }
}

/// Events with their times.
pub(super) type Timed = Vec<(EventKey, Vec<f64>)>;
type Events = [(EventKey, Vec<f64>)];

/// What makes events of two traces the same but for their instruction: name,
/// chain, whether in a delegate, and the kernel, as every operator's event
/// `OPERATOR_CALL` has the same name.
type What<'a> = (&'a str, i64, bool, &'a str);

fn what_they_are(events: &Events) -> Vec<What<'_>> {
    let kernels: HashMap<(i64, i32), &str> = events
        .iter()
        .filter(|(key, _)| key.name.starts_with("native_call_"))
        .map(|(key, _)| ((key.chain, key.instruction), key.name.as_str()))
        .collect();
    let kernel = |key: &EventKey| kernels.get(&(key.chain, key.instruction)).copied();
    events
        .iter()
        .map(|(key, _)| {
            let kernel = kernel(key).unwrap_or_default();
            (key.name.as_str(), key.chain, key.in_delegate, kernel)
        })
        .collect()
}

/// For each event of the base that of the new trace, by index.
fn partners(base: &Events, new: &Events) -> Vec<Option<usize>> {
    let mut partners = vec![None; base.len()];
    let mut taken = vec![false; new.len()];
    for (a, b) in align(&what_they_are(base), &what_they_are(new)) {
        partners[a] = Some(b);
        taken[b] = true;
    }
    let left = new.iter().enumerate().filter(|(at, _)| !taken[*at]);
    let mut rest: HashMap<&EventKey, usize> = left.map(|(at, (key, _))| (key, at)).collect();
    for ((key, _), partner) in base.iter().zip(&mut partners) {
        *partner = partner.or_else(|| rest.remove(key));
    }
    partners
}

fn judge(changes: &mut [Change], min_effect: f64) {
    let tested = |change: &&Change| change.verdict != Verdict::TooFewRuns;
    let mut p_values: Vec<f64> = changes.iter().filter(tested).map(|c| c.p_value).collect();
    p_values.sort_by(f64::total_cmp);
    let count = p_values.len() as f64;
    let allowed = |index: usize| FALSE_DISCOVERY_RATE * (index + 1) as f64 / count;
    let limit = p_values.iter().enumerate().rev().find(|(index, p)| **p <= allowed(*index));
    let limit = limit.map_or(0.0, |(_, limit)| *limit);
    for change in changes.iter_mut().filter(|c| c.verdict == Verdict::Same) {
        let difference = change.new.p50 - change.base.p50;
        if difference == 0.0 || difference.abs() < min_effect * change.base.p50 {
            continue;
        }
        // All runs of one side are above all of the other, and among so many
        // events even that may be chance.
        let least = least_p_value(change.base.count, change.new.count);
        if change.p_value <= limit {
            change.verdict = if difference > 0.0 { Verdict::Slower } else { Verdict::Faster };
        } else if change.p_value <= least * (1.0 + 1e-9) {
            change.verdict = Verdict::TooFewRuns;
        }
    }
}
