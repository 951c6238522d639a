//! Traces (`.etdp`): runs, and the events of each run.
//!
//! [`File::parse`] verifies the FlatBuffer; everything below borrows the
//! file's bytes. ExecuTorch's C++ runtime writes it with a 4-byte size prefix,
//! its Python writer without: both are read. What tensors held is in a second
//! file, the debug buffer ([`Tensor::data`]).

mod event;
mod file;
mod value;

pub use event::{AllocationEvent, DebugEvent, DelegateId, Event, ProfileEvent};
pub use file::{File, Run};
pub use value::{Tensor, TensorList, Value};
