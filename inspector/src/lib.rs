//! What is concluded from a program and a trace.
//!
//! * [`memory`]: what a program needs of each allocator, from the `.pte` alone
//! * [`events`]: the events of a trace with statistics
//! * [`findings`]: conclusions with a code, evidence and a remedy

#![forbid(unsafe_code)]

pub mod events;
pub mod findings;
pub mod memory;
