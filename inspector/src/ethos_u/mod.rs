//! Ethos-U delegates from the inside: what the command stream makes the unit
//! do, whether it may, and about how long it takes.
//!
//! ```text
//! state.rs        the unit's registers while the stream is read
//! feature_map.rs  tensors as the unit addresses them, and the bytes they cover
//! operation.rs    registers at the start of an operation, decoded
//! check/          is every access in its region, waited for, written before
//! estimate/       operations, bytes and cycles
//! delegates.rs    the delegates of a program, their findings
//! ```
//!
//! Commands, registers and rules of addressing are those of Arm's Vela 5.1
//! (`register_command_stream_util.py`, `ethos_u85_register_cs_generator.cpp`),
//! whose listings the tests compare with.

mod check;
mod delegates;
mod estimate;
mod feature_map;
mod operation;
mod state;

pub use check::{Fault, Regions, check};
pub(crate) use delegates::accelerator;
pub use delegates::{Unit, findings, unit, units};
pub use estimate::{Estimate, Estimates, Memory, System, estimates};
pub use feature_map::{FeatureMap, Layout, Range, Region, Storage};
pub use operation::{Access, Block, Dma, Kernel, Kind, Operation, Schedule, Work};

use et_schema::ethos_u::{Command, Item, Payload, Product, Register};
use state::State;
use std::collections::BTreeSet;

/// A command stream, taken apart.
#[derive(Clone, Debug)]
pub struct Disassembly {
    /// Every operation, in order.
    pub operations: Vec<Operation>,
    /// Commands that the unit does not have.
    pub unknown: Vec<Command>,
    /// The word from which on the stream has no meaning, and words from there.
    pub undecodable: Option<(u32, u32)>,
    /// Words of all commands that were read.
    pub words: u32,
}

impl Disassembly {
    /// Takes the stream of `payload` apart, as a stream of `product`.
    pub fn new(payload: &Payload<'_>, product: Product) -> Self {
        let mut state = State::new(product);
        let mut disassembly = Disassembly {
            operations: Vec::new(),
            unknown: Vec::new(),
            undecodable: None,
            words: 0,
        };
        for item in payload.driver.stream.items() {
            let command = match item {
                Item::Command(command) => command,
                Item::Undecodable { word, words, .. } => {
                    disassembly.undecodable = Some((word, words));
                    break;
                }
            };
            disassembly.words += command.words();
            match Register::find(product, command.code) {
                None => disassembly.unknown.push(command),
                Some(register) if register.name.starts_with("NPU_OP_") => {
                    let kind = operation::decode(&state, register, &command);
                    disassembly.operations.push(Operation { word: command.word, kind });
                }
                Some(_) => state.set(&command),
            }
        }
        disassembly
    }

    /// Bytes that `region` must have for every access to lie in it.
    pub fn extent(&self, region: Region) -> u64 {
        let ranges = self.operations.iter().flat_map(Operation::accesses);
        ranges
            .filter(|(range, _)| range.region == region)
            .map(|(range, _)| range.end)
            .max()
            .unwrap_or(0)
    }

    /// Bytes of all encoded weights, each counted once; those that are copied
    /// to scratch memory first, where they come from.
    pub fn weights(&self) -> u64 {
        let mut copies: Vec<&Dma> = Vec::new();
        let mut ranges = BTreeSet::new();
        for operation in &self.operations {
            match &operation.kind {
                Kind::Dma(dma) => copies.push(dma),
                Kind::Block(block) => ranges.extend(block.weights.iter().map(|range| {
                    let from = copies.iter().rev().find(|copy| copy.destination.overlaps(range));
                    let len = range.end - range.start;
                    match from {
                        Some(copy) => {
                            let into = range.start.wrapping_sub(copy.destination.start);
                            (copy.source.region, copy.source.start.wrapping_add(into), len)
                        }
                        None => (range.region, range.start, len),
                    }
                })),
                _ => {}
            }
        }
        ranges.iter().map(|(_, _, len)| len).sum()
    }
}
