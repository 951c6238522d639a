//! Traces of ExecuTorch programs: the interface through which a runtime
//! reports what it does ([`Tracer`]), and the recorder that makes an ETDump of
//! it ([`EtDumpWriter`]). Reading ETDumps is in [`et_schema::etdump`]. The
//! [`journal`] is the recorder for what hangs or crashes.

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unsafe_code)]

extern crate alloc;

mod clock;
mod debug_buffer;
mod file;
pub mod journal;
mod names;
mod tracer;
mod writer;

pub use clock::Clock;
#[cfg(feature = "std")]
pub use clock::SystemClock;
pub use tracer::{
    AllocationRecord, AllocatorIndex, AllocatorInfo, DebugLevel, DebugTensor, DebugValue,
    DelegateId, NoTracer, Place, Ticks, Tracer,
};
pub use writer::{Contents, EtDump, EtDumpWriter, Loss};
