//! ExecuTorch programs (`.pte`): container, segments and the program graph.
//!
//! [`File::parse`] checks the container and verifies the FlatBuffer;
//! everything below borrows the file's bytes. Index fields are typed
//! ([`crate::ids`]) but not yet resolved: looking one up returns an error when
//! it points nowhere, so that a program with one bad instruction can still be
//! shown.

mod delegate;
mod file;
mod header;
mod instruction;
mod method;
mod value;

pub use delegate::{CompileSpec, Delegate, Processed};
pub use file::{File, NamedData, Segment, Subsegments};
pub use header::ExtendedHeader;
pub use instruction::{Args, Chain, Frame, Instruction};
pub use method::{Method, Operator};
pub use value::{Allocation, DeviceType, Dynamism, Location, Tensor, Value, ValueList};
