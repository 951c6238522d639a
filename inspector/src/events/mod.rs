//! Event blocks: the events of a trace, equal runs merged, with statistics.
//!
//! The grouping is that of ExecuTorch's Inspector
//! (`devtools/inspector/_inspector.py`), so that names, order and numbers are
//! equal to its table.

mod block;
mod group;
mod repeat;
mod runs;
mod self_time;
mod statistics;
mod time;

pub use block::{Block, EventBlocks, EventRow, Sample};
pub use group::{Group, GroupBy, Groups};
pub use runs::RunTimes;
pub use statistics::Statistics;
pub use time::{TimeScale, Times};
