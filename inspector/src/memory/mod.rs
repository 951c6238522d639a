//! Memory that a program needs, predicted from the `.pte` alone.
//!
//! * [`Requirements`]: how large each pool must be
//! * [`Loading`]: the method allocator, allocation by allocation
//! * [`MethodMemory`]: all of it for one method
//! * [`plan`]: lifetimes and places of planned tensors, and the peak

mod loading;
mod operators;
pub mod plan;
mod report;
mod requirements;

pub use loading::{Allocation, Firmware, Loading};
pub use report::{MethodMemory, operator_name};
pub use requirements::{LoadRequest, Requirements};
