//! Convolution in one and two dimensions, with groups, dilation, padding and
//! strides, and its transpose, in contiguous and channels-last layouts.
//!
//! ```text
//! geometry.rs    sizes and strides of a call, checked once
//! gemm.rs        floats: matrix products over tiles of unfolded input
//! depthwise.rs   float32 with one input channel per group: row by row
//! direct.rs      every other type, and the transpose, by definition
//! ```

mod depthwise;
mod direct;
mod gemm;
mod geometry;

use super::{Args, Kernel, Outs};
use crate::error::{KernelError, KernelResult};
use crate::tensor::{Element, TensorRef, with_dtype};
use alloc::format;
use alloc::vec::Vec;
use geometry::Geometry;

pub(super) const KERNELS: &[(&str, Kernel)] = &[("aten::convolution.out", convolution)];

fn convolution(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, weight, bias) = (args.tensor(0)?, args.tensor(1)?, args.optional_tensor(2)?);
    let out = &mut outs[0];
    let geometry = Geometry::of(args, &input, &weight, bias.as_ref(), out)?;
    macro_rules! by_gemm {
        ($T:ty) => {{
            let bias = bias_values::<$T>(bias.as_ref(), geometry.out_channels)?;
            let operands = (input.data::<$T>()?, weight.data::<$T>()?, bias.as_slice());
            gemm::run::<$T>(&geometry, operands, out.data_mut::<$T>()?, args.threads())
        }};
    }
    use et_schema::ScalarType as S;
    match out.scalar_type() {
        S::Float if geometry.is_depthwise() => {
            let bias = bias_values::<f32>(bias.as_ref(), geometry.out_channels)?;
            let operands = (input.data::<f32>()?, weight.data::<f32>()?, bias.as_slice());
            depthwise::run(&geometry, operands, out.data_mut::<f32>()?);
            Ok(())
        }
        S::Float if !geometry.transposed => by_gemm!(f32),
        S::Double if !geometry.transposed => by_gemm!(f64),
        S::Half if !geometry.transposed => by_gemm!(half::f16),
        S::BFloat16 if !geometry.transposed => by_gemm!(half::bf16),
        other => with_dtype!(other, real, T => {
            let bias = bias_values::<T>(bias.as_ref(), geometry.out_channels)?;
            let operands = (input.data::<T>()?, weight.data::<T>()?, bias.as_slice());
            direct::run::<T>(&geometry, operands, out.data_mut::<T>()?);
            Ok(())
        }, else Err(KernelError::argument(format!("a convolution of {other}")))),
    }
}

/// The bias per output channel in the type of the output; zeros without one.
fn bias_values<T: Element>(bias: Option<&TensorRef<'_>>, channels: usize) -> KernelResult<Vec<T>> {
    let Some(bias) = bias else { return Ok(alloc::vec![T::default(); channels]) };
    with_dtype!(bias.scalar_type(), all, B => {
        Ok(bias.data::<B>()?.iter().map(|b| b.cast()).collect())
    }, else Err(KernelError::argument(format!("a bias of {}", bias.scalar_type()))))
}
