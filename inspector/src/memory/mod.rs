//! Memory that a program needs, predicted from the `.pte` alone.
//!
//! * [`Requirements`]: how large each pool must be
//! * [`Loading`]: the method allocator, allocation by allocation
//! * [`plan`]: lifetimes and places of planned tensors, and the peak

mod loading;
mod operators;
pub mod plan;
mod requirements;

pub use loading::{Allocation, Firmware, Loading};
pub use requirements::{LoadRequest, Requirements};
