//! Memory that a program needs, predicted from the `.pte` alone.

mod requirements;

pub use requirements::{LoadRequest, Requirements};
