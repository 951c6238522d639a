//! Bundled programs (`.bpte`): a program with test inputs and the outputs
//! that they must give.
//!
//! The program inside is a whole `.pte` file: hand [`File::program`] to
//! [`crate::pte::File::parse`].

mod file;
mod method;
mod value;

pub use file::File;
pub use method::{TestCase, TestSuite};
pub use value::{Tensor, Value};
