//! How far the values of a run are from those of a reference, value by value.
//!
//! The reference is another debug trace (of our runtime, of another device, of
//! last week) or tensors from elsewhere. Values of two traces belong together
//! if they have the same run, chain, instruction, delegate operation and
//! position; a loop's iterations are positions of their own. The first value
//! that is out of tolerance names the instruction where the numbers part: a
//! kernel only logs what it puts out, so that all before it were still right.

mod comparison;
mod logged;
mod metrics;

pub use comparison::{Comparison, Gap, Measured, Tolerance, compare, same_extents};
pub use logged::{
    Logged, Place, align, align_alone, blocks_of_runs, logged, run_numbers, runs_with_values,
};
pub use metrics::Metrics;
