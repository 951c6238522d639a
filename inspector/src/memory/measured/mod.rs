//! What a device or a runtime measured, beside what was predicted.
//!
//! ```text
//! replay.rs  allocation events of a trace, by allocator
//! align.rs   where predicted and measured allocations part
//! board.rs   the memory block of a board's log
//! ```

mod align;
mod board;
mod replay;

pub use align::{Difference, differences};
pub use board::{BoardComparison, BoardNumbers, BoardRow};
pub use replay::{Allocator, Replay};

use super::{Allocation, Firmware, Loading, MethodMemory};
use et_schema::ReadError;
use et_schema::ids::{ChainId, InstructionId};
use et_schema::layout::{Abi, Object};
use et_schema::pte::File;
use std::collections::{BTreeMap, BTreeSet};

/// An allocation as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The loader's.
    Loader(Allocation),
    /// That of a backend for its delegate, of as many bytes.
    Backend {
        /// Which delegate.
        delegate: usize,
        /// Bytes.
        bytes: u64,
    },
}

impl Expected {
    /// Bytes.
    pub fn bytes(&self) -> u64 {
        match self {
            Expected::Loader(allocation) => allocation.request.size,
            Expected::Backend { bytes, .. } => *bytes,
        }
    }

    /// Alignment in bytes.
    pub fn align(&self) -> u64 {
        match self {
            Expected::Loader(allocation) => u64::from(allocation.request.align.max(1)),
            Expected::Backend { .. } => POINTER,
        }
    }
}

/// Alignment of what a backend allocates, as XNNPACK's was measured.
const POINTER: u64 = 8;

/// Loadings of a trace that are looked at.
const MAX_LOADINGS: usize = 64;

const METHOD: &str = "method";
const TEMP: &str = "temp";

/// One allocator, predicted and measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// `method`, `planned_N` or `temp`, or another name that the trace has.
    pub name: String,
    /// Bytes used at its peak as predicted; `None` for an allocator that
    /// nothing is predicted of.
    pub predicted: Option<u64>,
    /// Bytes used at its peak as measured; `None` if the trace has no event of it.
    pub measured: Option<u64>,
    /// Number of measured allocations while loading.
    pub allocations: usize,
    /// Predicted allocations while loading.
    pub expected: Vec<Expected>,
    /// Where predicted and measured allocations part.
    pub differences: Vec<Difference>,
    /// The most bytes that each instruction took in an execution, as measured;
    /// `None` is what was taken outside of instructions.
    pub by_instruction: ByInstruction,
    /// Predicted and measured bytes by instruction while executing, where they differ.
    pub executing: Vec<ExecutingDifference>,
}

/// An instruction that took more or less than predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutingDifference {
    /// The instruction, `None` outside of instructions.
    pub at: Option<(ChainId, InstructionId)>,
    /// Bytes predicted.
    pub predicted: u64,
    /// Bytes measured in the execution that took most.
    pub measured: u64,
}

impl Compared {
    /// Whether all that was measured is as predicted. What was not measured
    /// is, and a temp allocator of which a trace shows a part of the use.
    pub fn is_equal(&self) -> bool {
        let peaks_agree = match (self.predicted, self.measured) {
            (Some(predicted), Some(measured)) if self.name == TEMP => measured <= predicted,
            (predicted, Some(measured)) => predicted == Some(measured),
            (_, None) => true,
        };
        self.differences.is_empty() && self.executing.is_empty() && peaks_agree
    }
}

/// A method's allocators, predicted and measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// ABI whose objects the trace has.
    pub abi: Abi,
    /// What the firmware gave the loader.
    pub firmware: Firmware,
    /// The allocators.
    pub allocators: Vec<Compared>,
    /// Executions in the trace.
    pub executions: usize,
    /// Events of allocators that the trace does not name.
    pub nameless: usize,
    /// Whether the loading lies behind the cut of a trace that is cut off: then
    /// executions are all that was compared.
    pub is_cut: bool,
}

/// A guess at who loaded the method of a trace.
struct Guess {
    abi: Abi,
    firmware: Firmware,
    loading: Loading,
    differences: usize,
}

/// The measured side of each of `methods` of `file`: the loading in `trace`
/// that is most like it, if any is more like it than like the others.
///
/// # Errors
/// An index in the program that points nowhere.
pub fn compare(
    file: &File<'_>,
    methods: &[MethodMemory<'_>],
    trace: &[Replay],
    abis: &[Abi],
) -> Result<Vec<Option<Comparison>>, ReadError> {
    let mut found: Vec<Option<Comparison>> = vec![None; methods.len()];
    for replay in trace.iter().take(MAX_LOADINGS) {
        let mut best: Option<(usize, Comparison)> = None;
        let mut is_tied = false;
        for (index, memory) in methods.iter().enumerate() {
            let comparison = Comparison::new(file, memory, replay, abis)?;
            if best.as_ref().is_none_or(|(_, best)| comparison.is_nearer_than(best)) {
                is_tied = false;
                best = Some((index, comparison));
            } else {
                is_tied |= best.as_ref().is_some_and(|(_, best)| !best.is_nearer_than(&comparison));
            }
        }
        // Without its loading, nothing tells of which of two methods it is.
        if replay.is_cut && is_tied {
            continue;
        }
        if let Some((index, comparison)) = best
            && found[index].as_ref().is_none_or(|other| comparison.is_nearer_than(other))
        {
            found[index] = Some(comparison);
        }
    }
    Ok(found)
}

impl Comparison {
    /// The comparison of `memory` of `file` with `replay`, for the ABI out of
    /// `abis` and for the firmware that explain it best; the first of those
    /// that explain it equally well.
    ///
    /// # Errors
    /// An index in the program that points nowhere.
    pub fn new(
        file: &File<'_>,
        memory: &MethodMemory<'_>,
        replay: &Replay,
        abis: &[Abi],
    ) -> Result<Self, ReadError> {
        let measured = replay.allocator(METHOD).map_or(&[][..], |method| &method.loading);
        let guess = |abi: Abi, firmware: Firmware| -> Result<Guess, ReadError> {
            let loading = Loading::new(file, &memory.method, abi, firmware)?;
            let sizes = expected(memory, &loading, abi);
            let sizes: Vec<u64> = sizes.iter().map(Expected::bytes).collect();
            let differences = differences(&sizes, measured).len();
            Ok(Guess { abi, firmware, loading, differences })
        };
        let mut best = guess(memory.abi, Firmware::TempPool)?;
        for abi in abis {
            for firmware in [Firmware::TempPool, Firmware::EmptyTempPool, Firmware::NoTempAllocator]
            {
                if best.differences > 0 && !replay.is_cut {
                    let other = guess(*abi, firmware)?;
                    best = if other.differences < best.differences { other } else { best };
                }
            }
        }
        Ok(Comparison {
            abi: best.abi,
            firmware: best.firmware,
            allocators: allocators(memory, replay, &best.loading, best.abi),
            executions: replay.executions,
            nameless: replay.nameless,
            is_cut: replay.is_cut,
        })
    }

    fn is_nearer_than(&self, other: &Comparison) -> bool {
        self.difference_count() < other.difference_count()
    }

    /// Whether all that was measured is as predicted. Names of allocators may
    /// lie behind a cut.
    pub fn is_equal(&self) -> bool {
        (self.nameless == 0 || self.is_cut) && self.allocators.iter().all(Compared::is_equal)
    }

    /// Number of places at which allocations are not as predicted.
    pub fn difference_count(&self) -> usize {
        let count = |a: &Compared| a.differences.len() + a.executing.len();
        self.allocators.iter().map(count).sum()
    }
}

/// The method allocator's allocations, those of backends at their place:
/// after the compile specs of their delegate.
pub fn expected(memory: &MethodMemory<'_>, loading: &Loading, abi: Abi) -> Vec<Expected> {
    let mut own = memory.delegates.iter().enumerate().map(|(delegate, needs)| {
        let bytes = needs.method_bytes_on(abi);
        (delegate, (bytes > 0).then_some(bytes))
    });
    let mut expected = Vec::with_capacity(loading.method.len() + memory.delegates.len());
    for allocation in &loading.method {
        if allocation.request.object == Object::Chain {
            for (delegate, bytes) in own.by_ref() {
                expected.extend(bytes.map(|bytes| Expected::Backend { delegate, bytes }));
            }
        }
        expected.push(Expected::Loader(*allocation));
        if allocation.request.object == Object::CompileSpec
            && let Some((delegate, bytes)) = own.next()
        {
            expected.extend(bytes.map(|bytes| Expected::Backend { delegate, bytes }));
        }
    }
    expected
}

fn allocators(
    memory: &MethodMemory<'_>,
    replay: &Replay,
    loading: &Loading,
    abi: Abi,
) -> Vec<Compared> {
    let mut all = vec![method(replay, expected(memory, loading, abi))];
    for buffer in &memory.plan.buffers {
        all.push(planned(replay, &format!("planned_{}", buffer.memory_id), buffer.size));
    }
    all.push(temp(memory, replay, loading));
    for allocator in &replay.allocators {
        if all.iter().all(|known| known.name != allocator.name) {
            let loaded = allocator.loading.iter().fold(0u64, |sum, size| sum.saturating_add(*size));
            all.push(Compared {
                name: allocator.name.clone(),
                predicted: None,
                measured: Some(loaded.saturating_add(allocator.executing_peak())),
                allocations: allocator.loading.len(),
                expected: Vec::new(),
                differences: Vec::new(),
                by_instruction: allocator.executing.clone(),
                executing: Vec::new(),
            });
        }
    }
    all
}

fn method(replay: &Replay, expected: Vec<Expected>) -> Compared {
    let sizes: Vec<u64> = expected.iter().map(Expected::bytes).collect();
    let aligns: Vec<u64> = expected.iter().map(Expected::align).collect();
    let measured = replay.allocator(METHOD);
    let loaded = measured.map_or(&[][..], |method| &method.loading);
    let known = measured.filter(|_| !replay.is_cut);
    let differences = if known.is_some() { differences(&sizes, loaded) } else { Vec::new() };
    let grown = measured.map(|m| m.executing.values().fold(0u64, |sum, b| sum.saturating_add(*b)));
    let used = used(loaded, &aligns, &differences).saturating_add(grown.unwrap_or(0));
    Compared {
        name: METHOD.into(),
        predicted: Some(used_as(&sizes, &aligns)),
        measured: known.map(|_| used),
        allocations: loaded.len(),
        by_instruction: executed(measured),
        // Executing takes nothing of the method allocator.
        executing: executing(&BTreeMap::new(), measured),
        expected,
        differences,
    }
}

fn planned(replay: &Replay, name: &str, size: u64) -> Compared {
    let measured = replay.allocator(name);
    let known = measured.filter(|_| !replay.is_cut);
    let loaded = known.map(|m| m.loading.iter().fold(0u64, |sum, b| sum.saturating_add(*b)));
    Compared {
        name: name.to_owned(),
        predicted: Some(size),
        measured: loaded,
        allocations: measured.map_or(0, |m| m.loading.len()),
        expected: Vec::new(),
        differences: Vec::new(),
        by_instruction: executed(measured),
        executing: executing(&BTreeMap::new(), measured),
    }
}

fn temp(memory: &MethodMemory<'_>, replay: &Replay, loading: &Loading) -> Compared {
    let measured = replay.allocator(TEMP);
    let sizes: Vec<u64> = loading.temp.iter().map(|a| a.request.size).collect();
    let loaded = measured.map_or(&[][..], |temp| &temp.loading);
    let known = measured.filter(|_| !replay.is_cut);
    let differences = if known.is_some() { differences(&sizes, loaded) } else { Vec::new() };
    let uses = memory.temp_uses.iter().map(|u| (Some(u.at), u.bytes)).collect();
    let mut executing = executing(&uses, measured);
    // With dynamic shapes, what is predicted is a bound.
    let bounds: BTreeSet<_> =
        memory.temp_uses.iter().filter(|u| u.is_bound).map(|u| u.at).collect();
    executing.retain(|e| e.measured > e.predicted || !e.at.is_some_and(|at| bounds.contains(&at)));
    let predicted = loading.temp_peak.max(memory.temp_executing());
    let by_instruction = executed(measured);
    let measured = measured.map(|temp| {
        // The reset after each look-up is in no event: where all look-ups are
        // those predicted, so is their peak.
        let loaded = match differences[..] {
            [] if !loaded.is_empty() && !replay.is_cut => loading.temp_peak,
            _ => loaded.iter().copied().max().unwrap_or(0),
        };
        loaded.max(temp.executing_peak())
    });
    Compared {
        name: TEMP.into(),
        predicted: Some(predicted),
        measured,
        allocations: loaded.len(),
        expected: loading.temp.iter().map(|a| Expected::Loader(*a)).collect(),
        differences,
        by_instruction,
        executing,
    }
}

/// Bytes by instruction, `None` outside of instructions.
pub type ByInstruction = BTreeMap<Option<(ChainId, InstructionId)>, u64>;

fn executed(measured: Option<&Allocator>) -> ByInstruction {
    measured.map(|allocator| allocator.executing.clone()).unwrap_or_default()
}

fn executing(predicted: &ByInstruction, measured: Option<&Allocator>) -> Vec<ExecutingDifference> {
    let Some(measured) = measured else { return Vec::new() };
    let more = measured.executing.iter().filter_map(|(at, measured)| {
        let predicted = predicted.get(at).copied().unwrap_or(0);
        let differs = predicted != *measured;
        differs.then_some(ExecutingDifference { at: *at, predicted, measured: *measured })
    });
    more.collect()
}

/// Bytes of a bump allocator after allocations of these sizes and alignments.
fn used_as(sizes: &[u64], aligns: &[u64]) -> u64 {
    sizes.iter().zip(aligns).fold(0u64, |used, (size, align)| {
        used.checked_next_multiple_of(*align).unwrap_or(u64::MAX).saturating_add(*size)
    })
}

/// Bytes after the measured allocations. What was not predicted has no known
/// alignment: that of a pointer is taken, or less if its size is odd.
fn used(measured: &[u64], expected: &[u64], differences: &[Difference]) -> u64 {
    let (mut extra, mut absent) = (BTreeSet::new(), BTreeSet::new());
    for difference in differences {
        match difference {
            Difference::Extra { index, .. } => extra.insert(*index),
            Difference::Absent { predicted } => absent.insert(*predicted),
            Difference::Resized { .. } => false,
        };
    }
    let mut aligns = (0..expected.len()).filter(|i| !absent.contains(i)).map(|i| expected[i]);
    let mut used = 0u64;
    for (index, size) in measured.iter().enumerate() {
        let align = if extra.contains(&index) { None } else { aligns.next() };
        let align = align.unwrap_or_else(|| POINTER.min(1 << size.trailing_zeros().min(3)));
        used = used.checked_next_multiple_of(align).unwrap_or(u64::MAX).saturating_add(*size);
    }
    used
}
