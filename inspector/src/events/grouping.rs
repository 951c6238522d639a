//! Grouping of a trace into blocks.
//!
//! Within a run, events of one instruction (or of one delegate operation) come
//! together in the order in which the first of them was seen. Runs with the
//! same events in the same order merge into one block. An event that repeats
//! in a run, as in a loop, has one sample for each iteration; the Inspector
//! only keeps the last one ([`EventBlocks::keep_last_iterations`]).

use super::block::{Block, EventBlocks, EventRow, Sample};
use super::repeat::{Pattern, Source};
use super::self_time::SelfTime;
use et_schema::etdump::{DebugEvent, DelegateId, Event, ProfileEvent, Run};
use std::collections::HashMap;

/// A value that was logged as an output.
fn output(event: Event<'_>) -> Option<DebugEvent<'_>> {
    match event {
        Event::Debug(event) if event.is_output => Some(event),
        _ => None,
    }
}

/// What makes two events of one run the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Signature<'a> {
    instruction: i32,
    profile: Option<(&'a str, i32, Option<DelegateId<'a>>)>,
    debug: Option<(&'a str, i32, Option<DelegateId<'a>>)>,
}

/// Instruction, chain and delegate operation.
type InstructionKey<'a> = (i32, i64, Option<DelegateId<'a>>);

#[derive(Default)]
struct InstructionEvents<'a> {
    chain: i64,
    profile: Vec<ProfileEvent<'a>>,
    debug: Vec<DebugEvent<'a>>,
}

/// Name, bundled input and events of the runs of a block.
type BlockKey<'a> = (&'a str, Option<u32>, Vec<Signature<'a>>);

/// A grouping to which runs are added one by one.
#[derive(Default)]
pub(super) struct Grouping<'a> {
    blocks: EventBlocks<'a>,
    by_signature: HashMap<BlockKey<'a>, usize>,
    /// The run before, if the next one may repeat it.
    pattern: Option<Pattern<'a>>,
    /// `None` if own ticks were not asked for.
    self_time: Option<SelfTime>,
    /// Runs that are still to come.
    left: usize,
    /// Samples that rows may still be given room for ahead of time.
    room: usize,
}

impl<'a> Grouping<'a> {
    /// A grouping of `runs` runs with at most `events` events, whose own ticks
    /// `self_time` finds.
    pub fn new(runs: usize, events: usize, self_time: Option<SelfTime>) -> Self {
        Grouping { left: runs, room: events, self_time, ..Grouping::default() }
    }

    /// The blocks.
    pub fn finish(self) -> EventBlocks<'a> {
        self.blocks
    }

    /// Adds a run. Each of its `events` is read from the iterator, to its end,
    /// before any is read again.
    pub fn add(&mut self, run: &Run<'a>, mut events: impl Source<'a>) {
        self.left = self.left.saturating_sub(1);
        if let Some(pattern) = &mut self.pattern {
            let block = &mut self.blocks.blocks[pattern.block];
            let appended = pattern.append(run, &mut events, block, &mut self.self_time);
            if let Some(allocations) = appended {
                self.blocks.allocation_events += allocations;
                reserve(block, self.left, &mut self.room);
                return;
            }
        }
        events.for_each(drop);
        let repeated = self.blocks.repeated;
        let rows = self.rows(run);
        let signatures = rows.iter().map(|(signature, _)| *signature).collect();
        let key = (run.name(), run.bundled_input_index(), signatures);
        let known = self.by_signature.get(&key).copied();
        let index = known.unwrap_or(self.blocks.blocks.len());
        if known.is_some() {
            self.blocks.blocks[index].add_run(rows);
        } else {
            self.by_signature.insert(key, index);
            self.blocks.blocks.push(Block {
                name: run.name(),
                runs: 1,
                bundled_input_index: run.bundled_input_index(),
                events: rows.into_iter().map(|(_, row)| row).collect(),
                outputs: run.events().filter_map(output).collect(),
            });
        }
        let block = &mut self.blocks.blocks[index];
        if let Some(self_time) = &mut self.self_time {
            self_time.measure_last_run(block);
        }
        let one_each = self.blocks.repeated == repeated;
        self.pattern = one_each.then(|| Pattern::of(run, index, block)).flatten();
    }

    /// The rows of one run, each with what identifies it.
    fn rows(&mut self, run: &Run<'a>) -> Vec<(Signature<'a>, EventRow<'a>)> {
        let mut rows: Vec<(Signature<'a>, EventRow<'a>)> = Vec::with_capacity(run.events().len());
        let mut index_of: HashMap<Signature<'a>, usize> = HashMap::new();
        for ((instruction, _, delegate_id), events) in self.instructions(run) {
            let debug = events.debug.first().map(|e| (e.name, e.instruction_id, e.delegate_id));
            let profiles = events.profile.iter().map(Some);
            let only_debug = events.profile.is_empty().then_some(None);
            for profile in profiles.chain(only_debug) {
                let signature = Signature {
                    instruction,
                    profile: profile.map(|e| (e.name, e.instruction_id, e.delegate_id)),
                    debug,
                };
                let sample = profile.map(|e| (Sample::new(e), e.delegate_metadata));
                if let (Some(index), Some((sample, metadata))) = (index_of.get(&signature), sample)
                {
                    self.blocks.repeated += 1;
                    rows[*index].1.repeat(sample, metadata);
                    continue;
                }
                let mut row = EventRow {
                    name: profile.map_or("", |e| e.name),
                    chain: events.chain,
                    instruction,
                    delegate_id,
                    samples: Vec::new(),
                    own: Vec::new(),
                    iterations: Vec::new(),
                    delegate_metadata: Vec::new(),
                    debug_events: events.debug.clone(),
                };
                if let Some((sample, metadata)) = sample {
                    row.push(sample, metadata);
                }
                index_of.insert(signature, rows.len());
                rows.push((signature, row));
            }
        }
        rows
    }

    /// The events of a run by instruction, in the order of first sight.
    fn instructions(&mut self, run: &Run<'a>) -> Vec<(InstructionKey<'a>, InstructionEvents<'a>)> {
        let mut found: Vec<(InstructionKey<'a>, InstructionEvents<'a>)> = Vec::new();
        let mut index_of: HashMap<InstructionKey<'a>, usize> = HashMap::new();
        for event in run.events() {
            let key = match event {
                Event::Profile(e) => (e.instruction_id, i64::from(e.chain_index), e.delegate_id),
                Event::Debug(e) if !e.is_output => {
                    (e.instruction_id, e.chain_index as i64, e.delegate_id)
                }
                Event::Allocation(_) => {
                    self.blocks.allocation_events += 1;
                    continue;
                }
                Event::Debug(_) | Event::Empty => continue,
            };
            let index = *index_of.entry(key).or_insert_with(|| {
                found.push((key, InstructionEvents { chain: key.1, ..Default::default() }));
                found.len() - 1
            });
            match event {
                Event::Profile(e) => found[index].1.profile.push(e),
                Event::Debug(e) => found[index].1.debug.push(e),
                _ => {}
            }
        }
        found
    }
}

/// Gives the rows of a block that repeats room for the runs to come. To grow by
/// doubling would take up to twice the memory, and as much again to move.
fn reserve(block: &mut Block<'_>, runs: usize, room: &mut usize) {
    let grows = |row: &EventRow<'_>| row.samples.len() == row.samples.capacity();
    if !block.events.iter().any(grows) {
        return;
    }
    if let Some(rest) = room.checked_sub(runs.saturating_mul(block.events.len())) {
        *room = rest;
        for row in &mut block.events {
            row.samples.reserve_exact(runs);
            if !row.own.is_empty() {
                row.own.reserve_exact(runs);
            }
        }
    }
}

impl<'a> Block<'a> {
    fn add_run(&mut self, rows: Vec<(Signature<'a>, EventRow<'a>)>) {
        self.runs += 1;
        for (own, (_, row)) in self.events.iter_mut().zip(&rows) {
            own.append(row);
        }
    }
}
