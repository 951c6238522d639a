//! Element-wise operators, and the frame that they share.
//!
//! ```text
//! promote    which type to compute in, what may be stored as what
//! checks     dim orders, broadcast shapes, resizing
//! number     arithmetic in the types to compute in; math, the real functions; wide, some of
//!            them for many numbers at once
//! elements   conversion of element types by chunks
//! walk       the way through an operand that broadcasts or has another layout
//! stream     operands and results as chunks in output order: broadcasting, layouts
//! map        applies a function to one, two or three tensors
//! ```
//!
//! The other files are the operators. Each is one function over the types that
//! it computes in; only its inner loop is made once for each of these types.

pub(super) mod activation;
pub(super) mod arithmetic;
pub(super) mod bitwise;
pub(super) mod checks;
pub(super) mod compare;
pub(super) mod copy;
pub(super) mod division;
mod elements;
pub(super) mod fill;
pub(super) mod gelu;
pub(super) mod map;
pub(super) mod math;
pub(super) mod number;
pub(super) mod power;
pub(super) mod promote;
pub(super) mod random;
pub(super) mod rounding;
pub(super) mod select;
pub(super) mod stream;
pub(super) mod unary;
mod walk;
mod wide;
