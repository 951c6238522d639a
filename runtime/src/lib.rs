//! The instrumented ExecuTorch runtime.
//!
//! ```text
//! Program   a verified .pte and its .ptd files      program.rs
//! Method    loaded: memory, values, instructions     method/
//! memory/   pools with enforced limits, planned arenas, disjoint views
//! tensor/   shapes, element types, the views that kernels get
//! kernels/  one file per operator family, found by name in the registry
//! guard/    checks of what each instruction does to memory
//! delegate/ parts of a method that a backend runs: XNNPACK
//! prim/     operators on values themselves (sizes, scalars, views)
//! ```
//!
//! It knows tracing only through [`etdump::Tracer`]. Memory accounting follows
//! ExecuTorch's C++ runtime byte for byte ([`et_schema::layout`]), so a limit
//! that fails on the board fails here, with the same error.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod delegate;
mod error;
pub mod guard;
pub mod kernels;
mod memory;
mod method;
mod prim;
mod program;
pub mod tensor;
mod value;

pub use delegate::runs_backend;
pub use error::{Error, KernelError, KernelResult};
pub use kernels::Rounding;
pub use memory::{PoolLimits, PoolUsage};
pub use method::{Input, LoadOptions, Method, MissingOperator, OutputRef, missing_operators};
pub use program::{ExternalTensor, Program};
pub use value::Scalar;
