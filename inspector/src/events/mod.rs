//! Event blocks: the events of a trace, equal runs merged, with statistics.
//!
//! The grouping is that of ExecuTorch's Inspector
//! (`devtools/inspector/_inspector.py`), so that names, order and numbers are
//! equal to its table.
//!
//! # Examples
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use et_inspector::events::{EventBlocks, RunTimes, TimeScale, Times};
//! use et_schema::etdump;
//!
//! # let traces = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/traces");
//! let trace = std::fs::read(format!("{traces}/linear__it10.etdp"))?;
//! let blocks = EventBlocks::of(&etdump::File::parse(&trace)?);
//! let times = Times::new(TimeScale::Nanoseconds, TimeScale::Microseconds).unwrap();
//!
//! let execute = blocks.blocks.iter().find(|block| block.name == "Execute").unwrap();
//! for event in &execute.events {
//!     let statistics = event.statistics(&times).unwrap();
//!     println!("{}: median {} us", event.display_name(), statistics.p50);
//!     assert_eq!(statistics.count, 10);
//! }
//! // The first run finds cold caches.
//! assert!(RunTimes::of(execute).first_to_warm().unwrap() > 1.0);
//! # Ok(())
//! # }
//! ```

mod block;
mod group;
mod grouping;
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
