//! Operations, bytes and cycles, without the unit.
//!
//! ```text
//! memory.rs  the memories of a system
//! blocks.rs  the blocks that the unit works on
//! rates.rs   cycles per element of the output stage
//! cycles.rs  cycles of one operation: multipliers, output stage, memory
//! mod.rs     all operations of a stream, with copies beside them
//! ```
//!
//! Multiplications are counted as Vela counts them. Cycles follow the published
//! performance model (Vela 5.2, `ethos_u55_performance.cpp`,
//! `ethos_u85_performance.cpp`, `network_performance.cpp`), from the stream
//! alone: what Vela does to one operator in several pieces is added up piece by
//! piece here.

mod blocks;
mod cycles;
mod memory;
mod rates;

pub(super) use blocks::{input_depth, needed};
pub use memory::{Memory, System};

use super::feature_map::Range;
use super::operation::{Block, Kind, Operation, Work};
use et_schema::ethos_u::{Configuration, Product};
use std::collections::VecDeque;

/// What an operation, or all of them, takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Multiplications with accumulation.
    pub macs: u64,
    /// Bytes read from memory.
    pub read: u64,
    /// Bytes written to memory.
    pub written: u64,
    /// Cycles of the unit.
    pub cycles: u64,
    /// Those of them for which the memory is busy: where they are all, it is
    /// the memory that is waited for.
    pub memory_cycles: u64,
}

/// The estimate of each operation, and of all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estimates {
    /// Operation by operation.
    pub operations: Vec<Estimate>,
    /// All: copies run beside the arithmetic, so cycles are fewer than the sum.
    pub total: Estimate,
}

/// Estimates what `operations` take on `unit` in `system`.
pub fn estimates(operations: &[Operation], unit: Configuration, system: &System) -> Estimates {
    let mut all = Estimates::default();
    let mut last = Last::default();
    let mut time = Time::default();
    for operation in operations {
        let cost = match &operation.kind {
            Kind::Block(block) => {
                let is_first = last.is_first(block);
                let cost = cycles::block(block, unit, system, is_first);
                last.add(block);
                time.work(cost.cycles);
                cost
            }
            Kind::Dma(dma) => {
                let cost = cycles::copy(operation, dma.bytes, unit, system);
                time.copy(cost.cycles);
                cost
            }
            Kind::DmaWait(left) => {
                time.wait(*left);
                Estimate::default()
            }
            _ => Estimate::default(),
        };
        let total = &mut all.total;
        total.macs = total.macs.saturating_add(cost.macs);
        total.read = total.read.saturating_add(cost.read);
        total.written = total.written.saturating_add(cost.written);
        total.memory_cycles = total.memory_cycles.saturating_add(cost.memory_cycles);
        all.operations.push(cost);
    }
    all.total.cycles = time.end();
    all
}

/// Arithmetic, and copies beside it.
#[derive(Default)]
struct Time {
    arithmetic: u64,
    copies: u64,
    /// When the last copies end.
    ends: VecDeque<u64>,
}

/// More copies than any unit has under way.
const COPIES: usize = 16;

impl Time {
    fn work(&mut self, cycles: u64) {
        self.arithmetic = self.arithmetic.saturating_add(cycles);
    }

    fn copy(&mut self, cycles: u64) {
        self.copies = self.copies.max(self.arithmetic).saturating_add(cycles);
        self.ends.push_front(self.copies);
        self.ends.truncate(COPIES);
    }

    /// At most `left` copies may still be under way.
    fn wait(&mut self, left: u32) {
        if let Some(end) = self.ends.get(left as usize) {
            self.arithmetic = self.arithmetic.max(*end);
        }
    }

    fn end(&self) -> u64 {
        self.arithmetic.max(self.copies)
    }
}

/// Operations that came before: the pieces of one operator follow each other,
/// and only the first of them waits for the memory to answer.
#[derive(Default)]
struct Last {
    was_transposition: bool,
    inputs: VecDeque<(Work, u64)>,
    constants: VecDeque<Range>,
}

/// Pieces of that many operators may take turns.
const TURNS: usize = 6;

impl Last {
    fn is_first(&self, block: &Block) -> bool {
        if block.is_transposition {
            return !self.was_transposition;
        }
        let is_layer = matches!(block.work, Work::Convolution { .. } | Work::Depthwise);
        let has_input = self.inputs.front() == Some(&(block.work, block.ifm.bases[0]));
        let has_weights =
            block.weights.first().is_some_and(|weights| self.constants.contains(weights));
        !(is_layer && (has_input || has_weights))
    }

    fn add(&mut self, block: &Block) {
        self.was_transposition = block.is_transposition;
        self.inputs.push_front((block.work, block.ifm.bases[0]));
        self.inputs.truncate(TURNS);
        if let Some(weights) = block.weights.first() {
            self.constants.push_front(*weights);
            self.constants.truncate(TURNS);
        }
    }
}

/// Vela's count: element-wise operations and resizing have none, nor have the
/// transpositions of Ethos-U55 and U65, which are many small poolings.
fn macs(block: &Block) -> u64 {
    let window = u64::from(block.kernel.size[0]).saturating_mul(block.kernel.size[1].into());
    let depth = u64::from(block.ifm.shape[2]);
    let each = match block.work {
        _ if block.is_transposition => 0,
        Work::Convolution { .. } | Work::Pooling("REDUCE_SUM") => window.saturating_mul(depth),
        Work::Depthwise | Work::Pooling(_) => window,
        Work::Elementwise(_) | Work::Resize(_) => 0,
    };
    let macs = blocks::product(block.output).saturating_mul(each);
    if block.is_sparse { macs / 2 } else { macs }
}

/// Cores that share the channels.
fn cores(unit: Configuration) -> u64 {
    match (unit.product(), unit.macs()) {
        (Some(Product::U65), 512) => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_run_beside_the_arithmetic() {
        let mut time = Time::default();
        time.copy(100);
        time.work(60);
        time.wait(0);
        assert_eq!(time.end(), 100);
        // Two copies, one of which may still be under way.
        time.copy(50);
        time.copy(500);
        time.wait(1);
        time.work(10);
        assert_eq!((time.arithmetic, time.end()), (160, 650));
    }
}
