//! The journal: a flight recorder that survives what it records.
//!
//! An ETDump exists only once it is finished. The journal is a ring of small
//! records in memory that the caller gives: written before work begins and
//! after it ends, each with a sequence number and a check value, readable at any
//! moment from a file, a shared mapping, or a dump of a dead board's RAM.
//!
//! ```text
//! layout.rs   where header, allocator table, names and ring lie
//! record.rs   events and their 32 bytes
//! writer.rs   Journal: writes, without allocation, lock or floating point
//! tracer.rs   JournalTracer: the runtime's Tracer that writes a journal
//! reader.rs   Snapshot: what is in a journal, intact, torn, corrupt or stale
//! scan.rs     finding journals in any bytes
//! replay.rs   an ETDump from a journal
//! mapping.rs  a journal in a file that other processes see (std)
//! ```
//!
//! A journal is 32-bit words in the byte order of its machine, which is
//! little-endian on all that ExecuTorch runs on. `etdump/c/etinspect_journal.h`
//! describes and writes the same bytes from C.

mod layout;
#[cfg(feature = "std")]
mod mapping;
mod reader;
mod record;
mod replay;
mod scan;
mod tracer;
mod writer;

pub use layout::{Config, MINIMUM_BYTES, program_id};
#[cfg(feature = "std")]
pub use mapping::Mapping;
pub use reader::{AllocatorState, Counts, Invalid, Life, OpenScope, Snapshot};
pub use record::{AllocatorKind, Event, FaultPart, NameId, RECORD_BYTES, Record, Scope};
pub use replay::{Replay, replay};
pub use scan::{Found, scan};
pub use tracer::{Detail, JournalTracer};
pub use writer::{Journal, TooSmall};

#[cfg(all(test, feature = "std"))]
mod tests;
