//! A trace over time: what the exports for trace viewers share.
//!
//! Every profile event becomes a slice. The runtime's own events are on one
//! track and those inside of delegates on another; slices of a track that
//! overlap without one holding the other, as of a clock that was reset, get a
//! further lane, since viewers know nested slices only.
//!
//! Allocation events have no time. They are logged in order with the others,
//! so each gets the end of the event before it. Allocators only grow within a
//! run, but for temporary memory, which an instruction gives back at its end.

use et_inspector::events::{TimeScale, Times};
use et_schema::etdump::{DelegateId, Event, File, ProfileEvent, Run};
use std::collections::HashMap;

/// Which track a slice is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Track {
    /// One slice per run.
    Runs,
    /// Events of the runtime.
    Operators,
    /// Operations inside of delegates.
    Delegates,
}

/// Something that took time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Index in [`Timeline::names`].
    pub name: usize,
    /// Index of the run in the file.
    pub run: usize,
    /// Chain, -1 outside of chains.
    pub chain: i32,
    /// Instruction, -1 if unset.
    pub instruction: i32,
    /// Begin, in ticks.
    pub start: u64,
    /// Ticks.
    pub duration: u64,
}

impl Slice {
    /// End, in ticks.
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.duration)
    }
}

/// Slices that nest, in the order in which they begin, outer before inner.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Track.
    pub track: Track,
    /// Slices.
    pub slices: Vec<Slice>,
}

/// Memory of an allocator over time.
#[derive(Clone, Debug, Default)]
pub struct Counter {
    /// Allocator.
    pub name: String,
    /// Ticks and bytes in use from there on.
    pub values: Vec<(u64, u64)>,
}

/// A trace over time.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// Names of slices.
    pub names: Vec<String>,
    /// The tracks, each with one lane unless slices overlap.
    pub lanes: Vec<Lane>,
    /// Memory.
    pub counters: Vec<Counter>,
}

/// Begin or end of a slice.
#[derive(Clone, Copy, Debug)]
pub enum Edge<'a> {
    /// It begins here.
    Begin(&'a Slice),
    /// It ends here.
    End(&'a Slice),
}

/// Names by number.
#[derive(Default)]
struct Names<'a> {
    names: Vec<String>,
    numbers: HashMap<(bool, &'a str, i32), usize>,
}

impl<'a> Names<'a> {
    fn runtime(&mut self, name: &'a str) -> usize {
        self.number((false, name, 0), || name.to_owned())
    }

    fn delegate(&mut self, id: DelegateId<'a>) -> usize {
        match id {
            DelegateId::Name(name) => self.runtime(name),
            DelegateId::Int(id) => self.number((true, "", id), || id.to_string()),
        }
    }

    fn number(&mut self, key: (bool, &'a str, i32), name: impl FnOnce() -> String) -> usize {
        *self.numbers.entry(key).or_insert_with(|| {
            self.names.push(name());
            self.names.len() - 1
        })
    }
}

impl Timeline {
    /// The timeline of a trace.
    pub fn of(file: &File<'_>) -> Self {
        let mut names = Names::default();
        let mut counters: Vec<Counter> = Vec::new();
        let mut tracks = [Track::Runs, Track::Operators, Track::Delegates].map(|t| (t, Vec::new()));
        for (index, run) in file.runs().enumerate() {
            let mut span: Option<(u64, u64)> = None;
            for event in run.events() {
                let Event::Profile(event) = event else { continue };
                let slice = slice(&event, index, &mut names);
                let (start, end) = span.unwrap_or((slice.start, slice.end()));
                span = Some((start.min(slice.start), end.max(slice.end())));
                tracks[if event.delegate_id.is_some() { 2 } else { 1 }].1.push(slice);
            }
            if let Some((start, end)) = span {
                let name = names.runtime(run.name());
                let (chain, instruction, duration) = (-1, -1, end - start);
                let slice = Slice { name, run: index, chain, instruction, start, duration };
                tracks[0].1.push(slice);
                count_memory(&run, start, &mut counters);
            }
        }
        let lanes = tracks.into_iter().flat_map(|(track, slices)| lanes(track, slices)).collect();
        Timeline { names: names.names, lanes, counters }
    }

    /// The earliest begin of a slice.
    pub fn start(&self) -> u64 {
        self.lanes.iter().filter_map(|lane| Some(lane.slices.first()?.start)).min().unwrap_or(0)
    }
}

fn slice<'a>(event: &ProfileEvent<'a>, run: usize, names: &mut Names<'a>) -> Slice {
    let name = match event.delegate_id {
        Some(id) => names.delegate(id),
        None => names.runtime(event.name),
    };
    // The clock of a microcontroller has 32 bits: the rule is that of `Times`.
    let cycles = Times::new(TimeScale::Cycles, TimeScale::Cycles);
    let elapsed = || cycles?.elapsed(event.start_time, event.end_time);
    let duration = match event.end_time.checked_sub(event.start_time) {
        Some(duration) => duration,
        None => elapsed().map_or(0, |ticks| ticks as u64),
    };
    Slice {
        name,
        run,
        chain: event.chain_index,
        instruction: event.instruction_id,
        start: event.start_time,
        duration,
    }
}

fn count_memory(run: &Run<'_>, start: u64, counters: &mut Vec<Counter>) {
    let allocators: Vec<(usize, bool)> = run
        .allocators()
        .map(|name| {
            let known = counters.iter().position(|counter| counter.name == name);
            let index = known.unwrap_or_else(|| {
                counters.push(Counter { name: name.to_owned(), values: Vec::new() });
                counters.len() - 1
            });
            (index, name.contains("temp"))
        })
        .collect();
    let mut used = vec![0u64; allocators.len()];
    for (index, _) in &allocators {
        counters[*index].values.push((start, 0));
    }
    let mut now = start;
    for event in run.events() {
        match event {
            Event::Profile(event) => {
                now = now.max(event.end_time);
                if !event.name.ends_with("_CALL") {
                    continue;
                }
                for ((index, temporary), used) in allocators.iter().zip(&mut used) {
                    if *temporary && *used > 0 {
                        *used = 0;
                        counters[*index].values.push((now, 0));
                    }
                }
            }
            Event::Allocation(event) => {
                let number = usize::try_from(event.allocator_id).unwrap_or(0).wrapping_sub(1);
                let Some(((index, _), used)) = allocators.get(number).zip(used.get_mut(number))
                else {
                    continue;
                };
                *used = used.saturating_add(event.size);
                counters[*index].values.push((now, *used));
            }
            Event::Debug(_) | Event::Empty => {}
        }
    }
}

/// Distributes slices to as few lanes as needed for all of a lane to nest.
fn lanes(track: Track, mut slices: Vec<Slice>) -> Vec<Lane> {
    // Events are logged when they end: of two with equal times, the later one is outer.
    slices.reverse();
    slices.sort_by(|a, b| a.start.cmp(&b.start).then(b.duration.cmp(&a.duration)));
    let mut lanes: Vec<(Lane, Vec<u64>)> = Vec::new();
    for slice in slices {
        let fits = |(_, open): &mut (Lane, Vec<u64>)| {
            while open.last().is_some_and(|end| *end <= slice.start) {
                open.pop();
            }
            open.last().is_none_or(|end| slice.end() <= *end)
        };
        let lane = match lanes.iter_mut().position(fits) {
            Some(lane) => lane,
            None => {
                lanes.push((Lane { track, slices: Vec::new() }, Vec::new()));
                lanes.len() - 1
            }
        };
        lanes[lane].1.push(slice.end());
        lanes[lane].0.slices.push(slice);
    }
    lanes.into_iter().map(|(lane, _)| lane).collect()
}

impl Lane {
    /// Begins and ends in the order of time, the inner end before the outer one.
    pub fn edges(&self, mut edge: impl FnMut(Edge<'_>)) {
        let mut open: Vec<&Slice> = Vec::new();
        for slice in &self.slices {
            while open.last().is_some_and(|outer| outer.end() <= slice.start) {
                open.pop().into_iter().for_each(|slice| edge(Edge::End(slice)));
            }
            edge(Edge::Begin(slice));
            open.push(slice);
        }
        open.into_iter().rev().for_each(|slice| edge(Edge::End(slice)));
    }
}
