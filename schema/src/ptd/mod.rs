//! Tensor data files (`.ptd`): named tensors and blobs outside the program.
//!
//! [`File::parse`] checks the container and verifies the FlatBuffer; segments
//! are only touched when their data is asked for.

mod data;
mod file;
mod header;

pub use data::{NamedData, TensorLayout};
pub use file::{File, Segment};
pub use header::Header;
