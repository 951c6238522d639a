//! Events of a trace: the Inspector's table and other forms of it.

mod chrome;
mod delimited;
mod json;

pub use chrome::chrome;
pub use delimited::{csv, tsv};
pub use json::json;
