//! Traces (`.etdp`): runs, and the events of each run.
//!
//! [`File::parse`] checks every table; everything below borrows the file's
//! bytes. ExecuTorch's C++ runtime writes the FlatBuffer with a 4-byte size
//! prefix, its Python writer without: both are read. What tensors held is in a
//! second file, the debug buffer ([`Tensor::data`]).
//!
//! [`File::recover`] also reads a file that is cut off ([`Truncation`]) and one
//! whose lists are broken ([`Damage`]).
//! [`Reading`] checks a large one while it is used for the first time.

mod event;
mod file;
mod kind;
mod placement;
mod reading;
mod recover;
mod repeated;
mod salvage;
mod value;
mod wire;

pub use event::{AllocationEvent, DebugEvent, DelegateId, Event, LOST_NAME, ProfileEvent};
pub use file::{Damage, File, Run, RunEvents, Truncation};
pub use reading::{Events, Reading};
pub use repeated::{Known, Next, Repeated};
pub use value::{Longs, Tensor, TensorList, Value};
