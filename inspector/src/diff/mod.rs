//! What changed between two traces.

mod align;
mod programs;
mod significance;
mod traces;

pub use programs::{Changed, Fact, ProgramDiff};
pub use significance::{least_p_value, mann_whitney};
pub use traces::{Change, EventKey, FALSE_DISCOVERY_RATE, TraceDiff, Verdict};
