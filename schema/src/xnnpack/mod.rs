//! XNNPACK delegate payloads: the graph that the partitioner gave to the
//! backend, with its constants.
//!
//! A payload is a header (`XH00`), a FlatBuffer (`XN00` or `XN01`,
//! `schema/fbs/xnnpack.fbs`) and the constants; the first versions had neither
//! header nor constants behind the FlatBuffer. Newer ones keep constants in the
//! program's named data, by key.

mod file;
mod node;
mod value;

pub use file::{Constant, Payload};
pub use node::{BinaryOperator, UnaryOperator};
pub use node::{Convolution, ConvolutionKind, Node, Operation, Pooling, PoolingKind};
pub use value::{DataType, Quantization, Scales, Value};

/// Id of the backend in a program.
pub const BACKEND: &str = "XnnpackBackend";

/// What stands in an id's place where there is none: no bias, not external.
pub const NO_VALUE: u32 = u32::MAX;

/// Flags of nodes and values, as `xnnpack.h` has them.
pub mod flags {
    /// Fully connected: the filter is `[input channels, output channels]`.
    /// Batch matrix multiply: the second matrix is transposed.
    pub const TRANSPOSE_WEIGHTS: u32 = 1;
    /// Batch matrix multiply: the first matrix is transposed.
    pub const TRANSPOSE_A: u32 = 2;
    /// Padding as TensorFlow's `SAME`, made from the input's size.
    pub const SAME_PADDING: u32 = 4;
    /// Resize: corners of input and output lie on each other.
    pub const ALIGN_CORNERS: u32 = 8;
    /// Reductions: reduced dimensions stay, with size 1.
    pub const KEEP_DIMS: u32 = 0x40;
}
