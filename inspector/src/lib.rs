//! What is concluded from a program and a trace.
//!
//! * [`diagnose`]: what stopped a device, from what it left behind
//! * [`memory`]: what a program needs of each allocator, from the `.pte` alone
//! * [`diff`]: what changed between two traces
//! * [`budget`]: the most that a program may need
//! * [`events`]: the events of a trace with statistics
//! * [`explain`]: the error codes of the runtime, for people
//! * [`image`]: dumps of a device's memory
//! * [`log`]: what a device printed
//! * [`findings`]: conclusions with a code, evidence and a remedy
//! * [`target`]: boards, their memories and whether a program fits
//! * [`size`]: sizes as people write them

#![forbid(unsafe_code)]

pub mod diagnose;
pub mod diff;
pub mod budget;
mod config;
pub mod events;
pub mod explain;
pub mod findings;
pub mod image;
pub mod log;
pub mod memory;
pub mod size;
pub mod target;
