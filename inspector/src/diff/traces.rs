//! Two traces, event by event.
//!
//! Events are matched by name, chain, instruction and delegate operation. A
//! change counts if it is at least as large as asked for and the Mann–Whitney
//! test over the runs finds it; the p values of all events together are held
//! to a false discovery rate (Benjamini and Hochberg), as a trace of hundreds
//! of operators has some that differ by chance.

use super::significance::{least_p_value, mann_whitney};
use crate::events::{EventBlocks, Statistics, Times};
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
    /// The event.
    pub key: EventKey,
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
}

/// Times of each event, in the order of first sight.
fn times_by_event(events: &EventBlocks<'_>, times: &Times) -> Vec<(EventKey, Vec<f64>)> {
    let mut found: Vec<(EventKey, Vec<f64>)> = Vec::new();
    let mut index_of: HashMap<EventKey, usize> = HashMap::new();
    let rows = events.blocks.iter().flat_map(|block| &block.events);
    for row in rows.filter(|row| !row.samples.is_empty()) {
        let key = EventKey {
            name: row.display_name(),
            chain: row.chain,
            instruction: row.instruction,
            in_delegate: row.delegate_id.is_some(),
        };
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
        let added = times_by_event(new, times);
        let order: Vec<EventKey> = added.iter().map(|(key, _)| key.clone()).collect();
        let mut left: HashMap<EventKey, Vec<f64>> = added.into_iter().collect();
        let (mut changes, mut gone) = (Vec::new(), Vec::new());
        for (key, base) in times_by_event(base, times) {
            let Some(new) = left.remove(&key) else {
                gone.push(key);
                continue;
            };
            let (Some(of_base), Some(of_new)) = (Statistics::of(&base), Statistics::of(&new))
            else {
                continue;
            };
            let few = least_p_value(base.len(), new.len()) > FALSE_DISCOVERY_RATE;
            changes.push(Change {
                key,
                base: of_base,
                new: of_new,
                p_value: mann_whitney(&base, &new),
                verdict: if few { Verdict::TooFewRuns } else { Verdict::Same },
            });
        }
        judge(&mut changes, min_effect);
        let added = order.into_iter().filter(|key| left.contains_key(key)).collect();
        TraceDiff { changes, gone, added }
    }

    /// Whether anything takes longer.
    pub fn has_regression(&self) -> bool {
        self.changes.iter().any(|change| change.verdict == Verdict::Slower)
    }
}

fn judge(changes: &mut [Change], min_effect: f64) {
    let tested = |change: &&Change| change.verdict != Verdict::TooFewRuns;
    let mut p_values: Vec<f64> = changes.iter().filter(tested).map(|c| c.p_value).collect();
    p_values.sort_by(f64::total_cmp);
    let count = p_values.len() as f64;
    let allowed = |index: usize| FALSE_DISCOVERY_RATE * (index + 1) as f64 / count;
    let limit = p_values.iter().enumerate().rev().find(|(index, p)| **p <= allowed(*index));
    let Some((_, limit)) = limit else { return };
    for change in changes.iter_mut().filter(|c| c.verdict == Verdict::Same && c.p_value <= *limit) {
        let difference = change.new.p50 - change.base.p50;
        if difference != 0.0 && difference.abs() >= min_effect * change.base.p50 {
            change.verdict = if difference > 0.0 { Verdict::Slower } else { Verdict::Faster };
        }
    }
}
