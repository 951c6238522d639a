//! Bytes that are live over time, by allocator, as the trace's allocation
//! events have it.
//!
//! ETDump knows no frees and no times of allocations. Events are logged when
//! something ends, so an allocation belongs to the event that follows it. What
//! is allocated stays, but for a temp allocator: the runtime resets it after
//! each instruction (`Method::execute_instruction`), and while a method loads
//! after each operator that it looks up (`Method::resolve_operator`), which
//! takes one allocation at a time.

use crate::text::escape;
use et_schema::etdump::{Event, File, Run};
use std::collections::BTreeMap;

/// Entries whose greatest is kept, so that a column of a million is quick.
const BLOCK: usize = 256;

/// The block in which a method loads.
const LOADING: &str = "Default";

/// What is live in one allocator.
pub struct Curve {
    /// Its name, safe to draw.
    pub name: String,
    /// From this tick on so many bytes, in the order of time.
    steps: Vec<(u64, u64)>,
    /// The greatest of each block of steps.
    greatest: Vec<u64>,
    /// The most of all.
    pub most: u64,
}

impl Curve {
    fn new(name: &str, mut steps: Vec<(u64, u64)>) -> Self {
        // Clocks of several blocks may not follow each other.
        steps.sort_by_key(|(tick, _)| *tick);
        let of = |steps: &[(u64, u64)]| steps.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0);
        let greatest: Vec<u64> = steps.chunks(BLOCK).map(of).collect();
        let most = greatest.iter().copied().max().unwrap_or(0);
        Curve { name: escape(name), steps, greatest, most }
    }

    /// The most that is live at any time in `from..to`.
    pub fn most_in(&self, from: u64, to: u64) -> u64 {
        let first = self.steps.partition_point(|(tick, _)| *tick < from);
        let end = self.steps.partition_point(|(tick, _)| *tick < to);
        let most = |steps: &[(u64, u64)]| steps.iter().map(|(_, b)| *b).max().unwrap_or(0);
        // What was live before is so until the first change, unless that is at once.
        let changes_at_once = self.steps.get(first).is_some_and(|(tick, _)| *tick == from);
        let before = match first.checked_sub(1).filter(|_| !changes_at_once) {
            Some(last) => self.steps[last].1,
            None => 0,
        };
        let (head, tail) = (first.div_ceil(BLOCK), end / BLOCK);
        if head >= tail {
            return before.max(most(&self.steps[first..end]));
        }
        let whole = self.greatest[head..tail].iter().copied().max().unwrap_or(0);
        let ends = most(&self.steps[first..head * BLOCK]).max(most(&self.steps[tail * BLOCK..end]));
        before.max(whole).max(ends)
    }
}

/// The curves of `trace`, in the order in which it names the allocators; none
/// if it has no allocation events.
pub fn curves(trace: &File<'_>) -> Vec<Curve> {
    let mut all = Allocators::default();
    for run in trace.runs() {
        all.add(&run);
    }
    let named = all.names.iter().zip(all.steps);
    named.filter(|(_, steps)| !steps.is_empty()).map(|(name, s)| Curve::new(name, s)).collect()
}

/// What was allocated so far.
#[derive(Default)]
struct Allocators {
    names: Vec<String>,
    live: Vec<u64>,
    steps: Vec<Vec<(u64, u64)>>,
}

impl Allocators {
    fn index(&mut self, name: &str) -> usize {
        if let Some(index) = self.names.iter().position(|known| known == name) {
            return index;
        }
        self.names.push(name.to_owned());
        self.live.push(0);
        self.steps.push(Vec::new());
        self.names.len() - 1
    }

    fn add(&mut self, run: &Run<'_>) {
        let executes = run.name() != LOADING;
        if !executes {
            self.live.fill(0);
        }
        // A block without names counts on with those of the block before.
        let names: Vec<&str> = run.allocators().collect();
        let indices: Vec<usize> = match names.is_empty() {
            true => (0..self.names.len()).collect(),
            false => names.into_iter().map(|name| self.index(name)).collect(),
        };
        let mut pending: BTreeMap<usize, u64> = BTreeMap::new();
        let mut last = None;
        for event in run.events() {
            match event {
                Event::Allocation(allocation) => {
                    let id = usize::try_from(allocation.allocator_id).ok();
                    let index = id.and_then(|id| indices.get(id.checked_sub(1)?).copied());
                    if let Some(index) = index {
                        let sum = pending.entry(index).or_default();
                        *sum = match !executes && self.is_temp(index) {
                            true => allocation.size.max(*sum),
                            false => sum.saturating_add(allocation.size),
                        };
                    }
                }
                Event::Profile(profile) => {
                    last = Some(profile.end_time);
                    let (start, end) = (profile.start_time, profile.end_time);
                    self.note(&mut pending, start, end);
                }
                Event::Debug(_) | Event::Empty => {}
            }
        }
        if let Some(end) = last {
            self.note(&mut pending, end, end);
        }
    }

    fn is_temp(&self, index: usize) -> bool {
        self.names[index].contains("temp")
    }

    /// What was allocated during an event.
    fn note(&mut self, pending: &mut BTreeMap<usize, u64>, start: u64, end: u64) {
        for (index, bytes) in std::mem::take(pending) {
            let live = self.live[index].saturating_add(bytes);
            self.steps[index].push((start, live));
            if self.is_temp(index) {
                self.steps[index].push((end.max(start.saturating_add(1)), self.live[index]));
            } else {
                self.live[index] = live;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Curve;

    #[test]
    fn the_most_of_any_time_is_found_as_by_looking_at_each() {
        let steps: Vec<(u64, u64)> = (0..3000u64).map(|i| (i * 3, i * 7919 % 1009)).collect();
        let curve = Curve::new("temp", steps.clone());
        for (from, to) in [(0, 1), (5, 6), (0, 9000), (700, 2500), (1536, 1537), (8999, 20000)] {
            let live_at = |tick: u64| {
                steps.iter().rev().find(|(start, _)| *start <= tick).map_or(0, |(_, bytes)| *bytes)
            };
            let slow = (from..to).map(live_at).max().unwrap_or(0);
            assert_eq!(curve.most_in(from, to), slow, "{from}..{to}");
        }
    }
}
