//! What a guarded run finds.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;
use et_schema::ScalarType;
use et_schema::ids::{ChainId, InstructionId, ValueId};

/// A tensor and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorUse {
    /// The first value that is this tensor.
    pub value: ValueId,
    /// Memory id of the planned buffer; `None` for memory that was not planned.
    pub memory_id: Option<u32>,
    /// Its bytes in that buffer.
    pub bytes: Range<u64>,
    /// Element type.
    pub scalar_type: ScalarType,
    /// Extents.
    pub sizes: Vec<i32>,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The instruction changed bytes that belong to none of its outputs.
    WriteOutside,
    /// It read a tensor that nothing has written.
    NeverWritten,
    /// It read state that has no value before the first run.
    StateWithoutValue,
    /// It read a tensor whose bytes were given to another one before, at the
    /// instruction named here.
    BytesReused(ChainId, InstructionId),
    /// It wrote a tensor over bytes of another one that is still to be read.
    LiveOverlap,
    /// It overwrote a tensor that the instruction named here had written.
    WrittenTwice(ChainId, InstructionId),
    /// It overwrote an input of the method, or a tensor that has its value from the program.
    OverwritesInput,
    /// It put out the first numbers that are NaN or infinite.
    NonFinite {
        /// How many elements are.
        count: usize,
        /// The first of them, in memory order.
        first: usize,
    },
    /// The method ended, and this output of it was not written.
    OutputNeverWritten,
}

/// One violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What is wrong.
    pub kind: Kind,
    /// The instruction; `None` after the last one.
    pub at: Option<(ChainId, InstructionId)>,
    /// Its operator.
    pub operator: Option<String>,
    /// The tensor at fault, then the one that it is at odds with.
    pub tensors: Vec<TensorUse>,
    /// The bytes at fault, in the buffer of the first tensor.
    pub bytes: Range<u64>,
}
