//! Tables, documents and exports over the model of `et-inspector`.
//!
//! One folder per subject, one file per form.

#![forbid(unsafe_code)]

mod chart;
pub mod events;
pub mod findings;
pub mod memory;
mod page;
mod protobuf;
mod python;
pub mod report;
