//! Traces of ExecuTorch programs: the interface through which a runtime
//! reports what it does ([`Tracer`]), and ETDump, the file that it becomes.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod tracer;

pub use tracer::{
    AllocationRecord, AllocatorIndex, AllocatorInfo, DebugLevel, DebugTensor, DebugValue,
    DelegateId, NoTracer, Place, Ticks, Tracer,
};
