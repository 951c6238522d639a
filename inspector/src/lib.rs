//! What is concluded from a program and a trace.
//!
//! * [`diagnose`]: what stopped a device, from what it left behind
//! * [`memory`]: what a program needs of each allocator, from the `.pte` alone
//! * [`diff`]: what changed between two traces
//! * [`budget`]: the most that a program may need
//! * [`correlate`]: which instruction and which node of the model an event is of
//! * [`debug_data`]: what instructions put out, from the debug buffer
//! * [`events`]: the events of a trace with statistics
//! * [`explain`]: the error codes of the runtime, for people
//! * [`image`]: dumps of a device's memory
//! * [`log`]: what a device printed
//! * [`findings`]: conclusions with a code, evidence and a remedy
//! * [`gap`]: how far values are from those of a reference, and where they part
//! * [`partition`]: how a method was cut into delegates
//! * [`restore`]: values that a damaged trace does not describe
//! * [`roofline`]: what operators compute and move, against what the machine can
//! * [`target`]: boards, their memories and whether a program fits
//! * [`size`]: sizes as people write them
//! * [`text`]: characters of files that must not reach a reader as they are
//!
//! # Time by module of the PyTorch model
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use et_inspector::correlate::Correlation;
//! use et_inspector::events::{EventBlocks, GroupBy, Groups};
//! use et_schema::{etdump, etrecord};
//!
//! # let traces = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/traces");
//! let trace = std::fs::read(format!("{traces}/linear__it3.etdp"))?;
//! let record = std::fs::read(format!("{traces}/linear.etrecord"))?;
//!
//! let blocks = EventBlocks::of(&etdump::File::parse(&trace)?);
//! let record = etrecord::File::parse(&record)?;
//! let correlation = Correlation::new(&blocks, None, Some(&record), None)?;
//! let groups = Groups::of(&blocks, &correlation, GroupBy::Module);
//!
//! assert_eq!(groups.groups[0].name, "linear");
//! let sum: u64 = groups.groups.iter().map(|group| group.ticks).sum();
//! assert_eq!(sum + groups.unattributed.ticks, groups.total_ticks());
//! # Ok(())
//! # }
//! ```
//!
//! # How far a run is from another
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use et_inspector::debug_data::Value;
//! use et_inspector::gap::{self, Tolerance};
//! use et_schema::etdump;
//!
//! # let traces = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/traces");
//! let trace = std::fs::read(format!("{traces}/norms__it1_dbg.etdp"))?;
//! let buffer = std::fs::read(format!("{traces}/norms__it1_dbg.debug.bin"))?;
//!
//! let values: Vec<_> = gap::logged(&etdump::File::parse(&trace)?)
//!     .iter()
//!     .map(|logged| (logged.place.clone(), Value::of(&logged.event, Some(&buffer))))
//!     .collect();
//! let tolerance = Tolerance { rtol: 1e-3, atol: 1e-5 };
//! let comparison = gap::compare(&values, &values, tolerance);
//!
//! assert_eq!(comparison.gaps.len(), 12);
//! assert_eq!(comparison.first_divergence(), None);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

pub mod backends;
pub mod budget;
mod config;
pub mod correlate;
pub mod debug_data;
pub mod diagnose;
pub mod diff;
pub mod ethos_u;
pub mod events;
pub mod explain;
pub mod findings;
pub mod gap;
pub mod image;
pub mod log;
pub mod memory;
pub mod partition;
pub mod restore;
pub mod roofline;
pub mod size;
pub mod stack;
pub mod target;
pub mod text;
