//! Memory that a program needs, predicted from the `.pte` alone.
//!
//! * [`Requirements`]: how large each pool must be
//! * [`Loading`]: the method allocator, allocation by allocation
//! * [`Runner`]: the method allocator's pool in ExecuTorch's runners
//! * [`MethodMemory`]: all of it for one method
//! * [`measured`]: the same as a trace has it
//! * [`TraceMemory`]: what recording an ETDump takes
//! * [`planner`]: what a better plan would need
//! * [`plan`]: lifetimes and places of planned tensors, and the peak

mod delegates;
mod loading;
pub mod measured;
mod operators;
pub mod plan;
pub mod planner;
mod report;
mod requirements;
mod runner;
mod suggest;
mod temp;
mod tracing;
mod xnnpack;

pub use delegates::DelegateMemory;
pub use loading::{Allocation, Firmware, Loading};
pub use report::{MethodMemory, operator_name};
pub use requirements::{LoadRequest, Requirements};
pub use runner::{FAST_MEMORY, Runner};
pub use suggest::{Change, Suggestion, suggestions};
pub use temp::TempUse;
pub use tracing::{TraceMemory, TraceRequest};
