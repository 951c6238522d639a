//! `cortex_m`: the int8 operators that the Cortex-M backend lowers to, with the
//! arithmetic of the CMSIS-NN functions that run them on a device.
//!
//! ```text
//! requantize.rs   32-bit sums to int8: multiply by a fixed-point number, round, limit
//! elementwise.rs  quantize, dequantize, add, mul, div, minimum, maximum, tables
//! layout.rs       transpose and pad
//! softmax.rs      softmax in fixed-point arithmetic
//! products.rs     dot products of rows, the engine of what follows
//! linear.rs       linear layers and batches of matrix products
//! image.rs        sizes of convolutions and pools over images with channels innermost
//! convolution.rs  convolutions, plain and depthwise
//! transposed.rs   transposed convolution
//! pool.rs         average and maximum pooling
//! ```
//!
//! Offsets, multipliers and shifts are computed ahead of time and come as
//! arguments. An offset is a negated zero point: it is added to what it belongs to.

mod convolution;
mod elementwise;
mod image;
mod layout;
mod linear;
mod pool;
mod products;
mod requantize;
mod softmax;
mod transposed;

pub(super) use convolution::KERNELS as CONVOLUTION;
pub(super) use elementwise::KERNELS as ELEMENTWISE;
pub(super) use layout::KERNELS as LAYOUT;
pub(super) use linear::KERNELS as LINEAR;
pub(super) use pool::KERNELS as POOL;
pub(super) use softmax::KERNELS as SOFTMAX;
pub(super) use transposed::KERNELS as TRANSPOSED;

use crate::error::{KernelResult, ensure};
use crate::tensor::TensorMeta;
use et_schema::ScalarType;

/// All tensors are int8.
fn int8(tensors: &[&TensorMeta]) -> KernelResult {
    for tensor in tensors {
        let scalar_type = tensor.scalar_type();
        ensure!(scalar_type == ScalarType::Char, "a tensor of {scalar_type}, expected Char");
    }
    Ok(())
}
