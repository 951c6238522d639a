//! Grouping of a trace into blocks.
//!
//! Within a run, events of one instruction (or of one delegate operation) come
//! together in the order in which the first of them was seen. Runs with the
//! same events in the same order merge into one block. An event that repeats
//! in a run, as in a loop, has one sample for each iteration; the Inspector
//! only keeps the last one ([`EventBlocks::keep_last_iterations`]).

use super::repeat::Pattern;
use super::self_time;
use super::statistics::Statistics;
use super::time::Times;
use et_schema::etdump::{DebugEvent, DelegateId, Event, File, ProfileEvent, Run};
use std::collections::HashMap;

/// Events of a trace, by block.
#[derive(Clone, Debug, Default)]
pub struct EventBlocks<'a> {
    /// The blocks, in the order of their first runs.
    pub blocks: Vec<Block<'a>>,
    /// Allocation events, which have no place in the Inspector's table.
    pub allocation_events: usize,
    /// Samples of loops: those after the first of their event in a run.
    pub repeated: usize,
}

/// Runs with the same events.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    /// `Default`, `Execute` or what the runtime called it.
    pub name: &'a str,
    /// Number of runs.
    pub runs: usize,
    /// The bundled input that they ran on.
    pub bundled_input_index: Option<u32>,
    /// Their events.
    pub events: Vec<EventRow<'a>>,
    /// Values that the first run logged as outputs of the method.
    pub outputs: Vec<DebugEvent<'a>>,
}

/// One event over all runs of its block.
#[derive(Clone, Debug)]
pub struct EventRow<'a> {
    /// Name in the trace; empty for an instruction that only logged values.
    pub name: &'a str,
    /// Chain, -1 outside of chains.
    pub chain: i64,
    /// Instruction, -1 if unset.
    pub instruction: i32,
    /// The delegate's own operation, if it is one.
    pub delegate_id: Option<DelegateId<'a>>,
    /// Begin and end in each run and each iteration of a loop; empty if only
    /// values were logged.
    pub samples: Vec<Sample>,
    /// How many of the samples are of each run; empty if one is of each.
    pub iterations: Vec<u32>,
    /// What the delegate attached to each sample; empty if to none.
    pub delegate_metadata: Vec<&'a [u8]>,
    /// Values that the event's instruction logged in the first run.
    pub debug_events: Vec<DebugEvent<'a>>,
}

/// Begin and end of an event, in ticks. A trace has millions of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Begin.
    pub start: u64,
    /// End.
    pub end: u64,
    /// Ticks that are not those of another event inside it.
    pub own: u64,
}

impl Sample {
    pub(super) fn new(event: &ProfileEvent<'_>) -> Self {
        Sample { start: event.start_time, end: event.end_time, own: 0 }
    }
}

/// A value that was logged as an output.
fn output(event: Event<'_>) -> Option<DebugEvent<'_>> {
    match event {
        Event::Debug(event) if event.is_output => Some(event),
        _ => None,
    }
}

impl<'a> EventRow<'a> {
    /// Adds a sample with what the delegate attached to it.
    fn push(&mut self, sample: Sample, metadata: &'a [u8]) {
        if !metadata.is_empty() || !self.delegate_metadata.is_empty() {
            self.delegate_metadata.resize(self.samples.len(), &[]);
            self.delegate_metadata.push(metadata);
        }
        self.samples.push(sample);
    }

    /// Adds the only sample of another run.
    pub(super) fn push_run(&mut self, sample: Sample, metadata: &'a [u8]) {
        self.push(sample, metadata);
        if !self.iterations.is_empty() {
            self.iterations.push(1);
        }
    }

    /// Adds a sample of another iteration of the only run.
    fn repeat(&mut self, sample: Sample, metadata: &'a [u8]) {
        self.push(sample, metadata);
        self.iterations = vec![self.samples.len() as u32];
    }

    /// Adds the samples of `other` as those of another run.
    fn append(&mut self, other: &EventRow<'a>) {
        if !other.iterations.is_empty() || !self.iterations.is_empty() {
            // Until now there was one in each.
            let known = if self.iterations.is_empty() { self.samples.len() } else { 0 };
            self.iterations.resize(self.iterations.len() + known, 1);
            self.iterations.push(other.samples.len() as u32);
        }
        for (index, sample) in other.samples.iter().enumerate() {
            self.push(*sample, other.delegate_metadata.get(index).copied().unwrap_or_default());
        }
    }

    /// The samples of each run.
    pub fn runs(&self) -> impl Iterator<Item = &[Sample]> {
        let runs = match self.iterations.len() {
            0 => self.samples.len(),
            runs => runs,
        };
        let mut rest = self.samples.as_slice();
        (0..runs).map(move |run| {
            let count = self.iterations.get(run).map_or(1, |count| *count as usize);
            rest.split_off(..count.min(rest.len())).unwrap_or_default()
        })
    }

    /// This event with the last sample of each run only.
    pub fn last_iterations(&self) -> EventRow<'a> {
        let mut end = 0;
        let mut kept = EventRow {
            samples: Vec::new(),
            iterations: Vec::new(),
            delegate_metadata: Vec::new(),
            debug_events: self.debug_events.clone(),
            ..*self
        };
        for samples in self.runs() {
            end += samples.len();
            let Some(last) = samples.last() else { continue };
            let metadata = self.delegate_metadata.get(end - 1).copied().unwrap_or_default();
            kept.push(*last, metadata);
        }
        kept
    }

    /// Whether the delegate attached something to any sample.
    pub fn has_delegate_metadata(&self) -> bool {
        self.delegate_metadata.iter().any(|metadata| !metadata.is_empty())
    }

    /// The name to show: a delegate's own operations go by their id.
    pub fn display_name(&self) -> String {
        match self.delegate_id {
            Some(DelegateId::Int(id)) => id.to_string(),
            Some(DelegateId::Name(name)) => name.to_owned(),
            None => self.name.to_owned(),
        }
    }

    /// The name that the Inspector shows: that of the first value which the
    /// instruction logged, if that has one, which C++ runtimes leave out.
    pub fn inspector_name(&self) -> String {
        match self.delegate_id {
            Some(_) => self.display_name(),
            None => self.name_of_value().to_owned(),
        }
    }

    fn name_of_value(&self) -> &'a str {
        let of_value = self.debug_events.first().map_or("", |event| event.name);
        if of_value.is_empty() { self.name } else { of_value }
    }

    /// Time of each run. A clock that ran backwards gives 0.
    pub fn raw(&self, times: &Times) -> Vec<f64> {
        let elapsed = match self.delegate_id {
            Some(_) => Times::elapsed_in_delegate,
            None => Times::elapsed,
        };
        self.samples.iter().map(|s| elapsed(times, s.start, s.end).unwrap_or(0.0)).collect()
    }

    /// Statistics over the runs.
    pub fn statistics(&self, times: &Times) -> Option<Statistics> {
        Statistics::of(&self.raw(times))
    }

    /// Ticks of all samples that are not those of another event inside.
    pub fn own_ticks(&self) -> u64 {
        self.samples.iter().fold(0, |sum, sample| sum.saturating_add(sample.own))
    }

    /// Whether it repeats within a run.
    pub fn is_looped(&self) -> bool {
        !self.iterations.is_empty()
    }

    /// The delegate's own id of the operation, as text.
    pub fn delegate_identifier(&self) -> Option<String> {
        self.delegate_id.map(|_| self.display_name())
    }

    /// Whether it is an instruction as a whole: `OPERATOR_CALL`,
    /// `DELEGATE_CALL`, `MOVE_CALL`, `JF_CALL` or `FREE_CALL`.
    pub fn is_call(&self) -> bool {
        self.delegate_id.is_none() && self.name.ends_with("_CALL")
    }

    /// `OPERATOR_CALL` spans its kernel's event: a sum that takes both counts twice.
    pub fn is_operator_call(&self) -> bool {
        self.delegate_id.is_none() && self.name.contains("OPERATOR_CALL")
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

impl<'a> EventBlocks<'a> {
    /// Groups the events of `file`.
    pub fn of(file: &File<'a>) -> Self {
        let mut result = EventBlocks::default();
        let mut by_signature: HashMap<(&str, Option<u32>, Vec<Signature<'a>>), usize> =
            HashMap::new();
        let mut pattern: Option<Pattern<'a>> = None;
        for run in file.runs() {
            if let Some(pattern) = &mut pattern
                && let Some(allocations) = pattern.append(&run, &mut result.blocks[pattern.block])
            {
                result.allocation_events += allocations;
                continue;
            }
            let repeated = result.repeated;
            let rows = result.rows(&run);
            let outputs = || run.events().filter_map(output).collect();
            let signatures = rows.iter().map(|(signature, _)| *signature).collect();
            let key = (run.name(), run.bundled_input_index(), signatures);
            let known = by_signature.get(&key).copied();
            let index = known.unwrap_or(result.blocks.len());
            if known.is_some() {
                result.blocks[index].add_run(rows);
            } else {
                by_signature.insert(key, index);
                result.blocks.push(Block {
                    name: run.name(),
                    runs: 1,
                    bundled_input_index: run.bundled_input_index(),
                    events: rows.into_iter().map(|(_, row)| row).collect(),
                    outputs: outputs(),
                });
            }
            let one_each = result.repeated == repeated;
            pattern = one_each.then(|| Pattern::of(&run, index, &result.blocks[index])).flatten();
        }
        result.blocks.iter_mut().for_each(self_time::measure);
        result
    }

    /// Keeps one sample per run and event, the last: what the Inspector does,
    /// whose numbers of a loop are those of its last iteration. Events get the
    /// names that it shows.
    pub fn keep_last_iterations(&mut self) {
        for row in self.blocks.iter_mut().flat_map(|block| &mut block.events) {
            *row = EventRow { name: row.name_of_value(), ..row.last_iterations() };
        }
        self.repeated = 0;
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
                    self.repeated += 1;
                    rows[*index].1.repeat(sample, metadata);
                    continue;
                }
                let mut row = EventRow {
                    name: profile.map_or("", |e| e.name),
                    chain: events.chain,
                    instruction,
                    delegate_id,
                    samples: Vec::new(),
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
                    self.allocation_events += 1;
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

impl<'a> Block<'a> {
    fn add_run(&mut self, rows: Vec<(Signature<'a>, EventRow<'a>)>) {
        self.runs += 1;
        for (own, (_, row)) in self.events.iter_mut().zip(&rows) {
            own.append(row);
        }
    }
}
