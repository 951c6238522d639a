//! ETRecords: what the exporter knew of a program, for correlation with a trace.
//!
//! An ETRecord is a zip archive (`devtools/etrecord/_etrecord.py`): graphs as
//! JSON in the form of `torch.export`'s serialisation, maps from instructions
//! to debug handles, and tensors as `torch.save` writes them. [`File::parse`]
//! reads the directory and the maps; graphs and tensors are decoded when they
//! are asked for.
//!
//! No size in the archive is trusted: a member is unpacked up to a limit that
//! the archive's own size sets, and a pickle can only make the few kinds of
//! values that tensors need. Nothing in it is ever executed.

mod archive;
mod file;
mod graph;
mod maps;
mod numbers;
mod pickle;
mod torch;

pub use file::File;
pub use graph::{Graph, Module, Node};
pub use maps::{Delegate, DelegateMap, Handles};
pub use torch::{SavedTensor, SavedValue};
