//! Runs the graphs that ExecuTorch's XNNPACK delegate gets.
//!
//! ```text
//! load/        a payload becomes steps: fusions, event names, packed weights
//! graph.rs     what is loaded: values, steps; a run of them
//! tensor.rs    the data of values
//! product.rs   matrix products with packed weights, which most steps are made of
//! dot/         the same of bytes
//! kernels/     one file per family of operations
//! ```
//!
//! Results are those of the real delegate: integers to the last bit, floating
//! point numbers within rounding, as sums are fused and added in another order.
//! Float16 and bfloat16 are computed in float32 and rounded after each node.

mod buffer;
mod dot;
mod error;
mod graph;
mod kernels;
mod load;
mod product;
mod tensor;
mod unroll;

pub use error::Error;
pub use graph::{Graph, Observer};
pub use load::Constants;
