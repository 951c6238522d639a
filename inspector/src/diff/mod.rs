//! What changed between two traces, or two programs.
//!
//! # Examples
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use et_inspector::diff::TraceDiff;
//! use et_inspector::events::{EventBlocks, TimeScale, Times};
//! use et_schema::etdump;
//!
//! # let traces = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/traces");
//! let trace = std::fs::read(format!("{traces}/lstm__it10.etdp"))?;
//! let blocks = EventBlocks::of(&etdump::File::parse(&trace)?);
//! let times = Times::new(TimeScale::Nanoseconds, TimeScale::Milliseconds).unwrap();
//!
//! // Medians that differ by less than 2 % are the same.
//! let diff = TraceDiff::of(&blocks, &blocks, &times, 0.02);
//! assert!(!diff.has_regression());
//! # Ok(())
//! # }
//! ```

mod align;
mod cut;
mod programs;
mod significance;
mod traces;

pub use programs::{Changed, Fact, ProgramDiff};
pub use significance::{least_p_value, mann_whitney};
pub use traces::{Change, EventKey, FALSE_DISCOVERY_RATE, TraceDiff, Verdict};
