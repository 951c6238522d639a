//! Allocation events of a trace, replayed.
//!
//! An ETDump keeps the size of each allocation and who gave it out, not its
//! alignment. Events are logged when something ends, so what is allocated
//! while an instruction runs stands before the event that ends it.

use et_schema::etdump::{Event, File, Run};
use et_schema::ids::{ChainId, InstructionId};
use std::collections::BTreeMap;

/// Name of the block in which a method loads.
const LOADING: &str = "Default";

/// One loaded method of a trace, and what its allocators gave out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    /// The allocators, in the order of the trace.
    pub allocators: Vec<Allocator>,
    /// Executions that follow.
    pub executions: usize,
    /// Events of allocators that the trace does not name.
    pub nameless: usize,
    /// Whether the trace is cut off, and what was allocated while the method
    /// loaded lies behind the cut, all of it or the first part.
    pub is_cut: bool,
    by_name: BTreeMap<String, usize>,
}

/// What one allocator gave out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allocator {
    /// `method`, `planned_N`, `temp`, or as the firmware calls it.
    pub name: String,
    /// Sizes while the method loaded, in order.
    pub loading: Vec<u64>,
    /// The most bytes that an instruction took in any execution; `None` is
    /// what was taken outside of instructions.
    pub executing: BTreeMap<Option<(ChainId, InstructionId)>, u64>,
}

impl Allocator {
    /// The most bytes that one instruction took.
    pub fn executing_peak(&self) -> u64 {
        self.executing.values().copied().max().unwrap_or(0)
    }
}

impl Replay {
    /// Every loading of `file` that has allocation events.
    pub fn all(file: &File<'_>) -> Vec<Self> {
        let mut replays: Vec<Replay> = Vec::new();
        for run in file.runs() {
            // Whether it loads or executes is behind the cut as well.
            if file.truncation().is_some() && run.name().is_empty() {
                replays.push(Replay { is_cut: true, ..Replay::default() });
                continue;
            }
            if run.name() == LOADING || replays.is_empty() {
                let is_cut =
                    file.truncation().is_some() && (run.name() != LOADING || run.lost_events() > 0);
                replays.push(Replay { is_cut, ..Replay::default() });
            }
            if let Some(replay) = replays.last_mut() {
                replay.add(&run);
            }
        }
        replays.retain(|replay| !replay.allocators.is_empty() || replay.nameless > 0);
        replays
    }

    /// The allocator of this name.
    pub fn allocator(&self, name: &str) -> Option<&Allocator> {
        self.by_name.get(name).map(|index| &self.allocators[*index])
    }

    fn add(&mut self, run: &Run<'_>) {
        let executes = run.name() != LOADING;
        self.executions += usize::from(executes);
        // A block without names counts on with those of the block before.
        let names: Vec<&str> = run.allocators().collect();
        let indices: Vec<usize> = if names.is_empty() {
            (0..self.allocators.len()).collect()
        } else {
            names.into_iter().map(|name| self.index(name)).collect()
        };
        let mut pending: BTreeMap<usize, u64> = BTreeMap::new();
        // Of what its first instruction allocated, a part may lie behind a cut.
        let mut is_whole = run.lost_events() == 0;
        for event in run.events() {
            match event {
                Event::Allocation(allocation) => {
                    let index = usize::try_from(allocation.allocator_id).ok();
                    let index = index.and_then(|id| indices.get(id.checked_sub(1)?).copied());
                    match index {
                        None => self.nameless += 1,
                        Some(index) if executes => {
                            let sum = pending.entry(index).or_default();
                            *sum = sum.saturating_add(allocation.size);
                        }
                        Some(index) => self.allocators[index].loading.push(allocation.size),
                    }
                }
                Event::Profile(_) if !is_whole => {
                    is_whole = true;
                    pending.clear();
                }
                Event::Profile(profile) if !pending.is_empty() => {
                    let chain = u32::try_from(profile.chain_index).ok().map(ChainId);
                    let id = u32::try_from(profile.instruction_id).ok().map(InstructionId);
                    self.note(&mut pending, chain.zip(id));
                }
                _ => {}
            }
        }
        if is_whole {
            self.note(&mut pending, None);
        }
    }

    /// What was allocated up to the end of the instruction `at`.
    fn note(&mut self, pending: &mut BTreeMap<usize, u64>, at: Option<(ChainId, InstructionId)>) {
        for (index, bytes) in std::mem::take(pending) {
            let most = self.allocators[index].executing.entry(at).or_default();
            *most = bytes.max(*most);
        }
    }

    fn index(&mut self, name: &str) -> usize {
        if let Some(index) = self.by_name.get(name) {
            return *index;
        }
        let index = self.allocators.len();
        self.by_name.insert(name.to_owned(), index);
        self.allocators.push(Allocator { name: name.to_owned(), ..Allocator::default() });
        index
    }
}
