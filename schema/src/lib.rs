//! Safe, zero-copy readers of ExecuTorch's file formats.
//!
//! Each format has a folder with parallel file names. A reader borrows the
//! bytes of the file, verifies them once, and then hands out views that can
//! neither panic nor read outside those bytes.
//!
//! The wire schemas are in `schema/fbs/`; [`generated`] is made from them by
//! `flatc` and committed, so nobody needs `flatc` to build.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod bundled;
mod bytes;
mod error;
mod error_code;
pub mod etdump;
pub mod ethos_u;
#[cfg(feature = "std")]
pub mod etrecord;
#[rustfmt::skip]
#[allow(
    missing_docs,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    unused_imports,
    unsafe_op_in_unsafe_fn,
    mismatched_lifetime_syntaxes,
    non_snake_case
)]
pub mod generated;
pub mod ids;
pub mod layout;
pub mod operators;
pub mod ptd;
pub mod pte;
mod scalar_type;
mod verify;
pub mod xnnpack;

pub use error::{Format, Place, ReadError, Result};
pub use error_code::ErrorCode;
pub use scalar_type::ScalarType;
