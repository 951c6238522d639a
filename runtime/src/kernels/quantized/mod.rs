//! `quantized_decomposed`: operators on quantized tensors and weights.
//!
//! ```text
//! affine.rs      from float to quantized integers and back
//! parameters.rs  scale and zero point that fit a tensor
//! add.rs         sum of two quantized tensors
//! embedding.rs   rows of a quantized table as floats
//! mixed.rs       products of floats with int8 weights
//! ```

mod add;
mod affine;
mod bytes;
mod embedding;
mod mixed;
mod parameters;

pub(super) use add::KERNELS as ADD;
pub(super) use affine::{KERNELS as AFFINE, round_ties_even};
pub(super) use embedding::KERNELS as EMBEDDING;
pub(super) use mixed::KERNELS as MIXED;
pub(super) use parameters::KERNELS as PARAMETERS;
