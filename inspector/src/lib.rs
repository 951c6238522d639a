//! What is concluded from a program and a trace.
//!
//! * [`memory`]: what a program needs of each allocator, from the `.pte` alone
//! * [`correlate`]: which instruction and which node of the model an event is of
//! * [`debug_data`]: what instructions put out, from the debug buffer
//! * [`events`]: the events of a trace with statistics
//! * [`explain`]: the error codes of the runtime, for people
//! * [`gap`]: how far values are from those of a reference
//! * [`findings`]: conclusions with a code, evidence and a remedy
//! * [`target`]: boards, their memories and whether a program fits
//! * [`size`]: sizes as people write them

#![forbid(unsafe_code)]

pub mod correlate;
pub mod debug_data;
pub mod events;
pub mod explain;
pub mod findings;
pub mod gap;
pub mod memory;
pub mod size;
pub mod target;
