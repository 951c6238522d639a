//! What instructions and delegates put out, as a trace with a debug buffer has it.
//!
//! The trace describes each value; the elements of tensors are in a second
//! file, the debug buffer, at the offsets that the trace names. Both files are
//! checked against each other: a tensor that the buffer does not have is
//! reported, and all others are still there.

mod element;
mod tensor;

pub use tensor::{Fault, Summary, Tensor, Value};
