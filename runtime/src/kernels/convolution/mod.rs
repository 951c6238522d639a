//! Convolution in one and two dimensions, with groups, dilation, padding and
//! strides, and its transpose, in contiguous and channels-last layouts.
//!
//! ```text
//! geometry.rs    sizes and strides of a call, checked once
//! phases.rs      planes, padded and split so that taps are offsets
//! planes.rs      float32 in contiguous images, as matrix products
//! in_place.rs    which images are read where they lie for that
//! pixels.rs      float32 in channels-last images, as matrix products
//! depthwise.rs   float32 with one input channel per group
//! strips/        the same for the usual 3×3 kernel
//! blocks.rs      some channels of the output, for instructions that run together
//! backward.rs    gradients of input, weights and bias
//! direct.rs      every other type, and the transpose, by definition
//! ```
//!
//! Float32 comes out as from ExecuTorch's portable kernel to the last bit: its
//! order of additions is kept, and none is fused with a multiplication unless
//! [`Rounding::Once`](crate::Rounding::Once) is asked for.

mod backward;
#[cfg(feature = "std")]
pub(super) mod blocks;
mod depthwise;
mod direct;
mod geometry;
#[cfg(feature = "std")]
mod in_place;
mod phases;
mod pixels;
mod planes;
#[cfg(feature = "std")]
mod strips;

use super::{Args, Kernel, Outs};
use crate::error::{KernelError, KernelResult};
use crate::kernels::scratch::Scratch;
use crate::tensor::{Element, TensorRef, with_dtype};
use alloc::format;
use alloc::vec::Vec;
use geometry::Geometry;
use phases::Phases;

pub(super) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::convolution.out", convolution),
    ("aten::convolution_backward.out", backward::convolution_backward),
];

fn convolution(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, weight, bias) = (args.tensor(0)?, args.tensor(1)?, args.optional_tensor(2)?);
    let out = &mut outs[0];
    let geometry = Geometry::of(args, &input, &weight, bias.as_ref(), out)?;
    use et_schema::ScalarType as S;
    match out.scalar_type() {
        S::Float if !geometry.transposed => {
            let bias = bias_values::<f32>(bias.as_ref())?;
            let operands = (input.data::<f32>()?, weight.data::<f32>()?, bias.as_deref());
            float(args, &geometry, operands, out.data_mut::<f32>()?);
            Ok(())
        }
        other => with_dtype!(other, real, T => {
            let bias = bias_values::<T>(bias.as_ref())?;
            let operands = (input.data::<T>()?, weight.data::<T>()?, bias.as_deref());
            if out.numel() > 0 {
                direct::run::<T>(&geometry, operands, out.data_mut::<T>()?);
            }
            Ok(())
        }, else Err(KernelError::argument(format!("a convolution of {other}")))),
    }
}

/// Float32, by the way that suits the shapes.
fn float(
    args: &Args<'_>,
    g: &Geometry,
    (input, weight, bias): (&[f32], &[f32], Option<&[f32]>),
    out: &mut [f32],
) {
    if out.is_empty() {
        return;
    }
    let (operands, means) = ((input, weight, bias), args.means());
    let contiguous = g.in_strides[3] == 1 && g.out_strides[3] == 1;
    match Phases::of(g) {
        _ if !pads_with_zeros(g, weight) => direct::run(g, operands, out),
        Some(phases) if contiguous && g.is_depthwise() => {
            depthwise::planes(g, phases, operands, out, means);
        }
        Some(phases) if contiguous => {
            let tiles = args.kept(&[1], || planes::tiles(g, weight));
            planes::run(g, &phases, operands, tiles.map(Vec::as_slice), out, means);
        }
        None if contiguous => direct::run(g, operands, out),
        _ if g.is_depthwise() => depthwise::pixels(g, operands, out, means),
        _ => {
            #[cfg(feature = "std")]
            let packed = args.kept(&[1], || pixels::packed(g, weight)).map(Vec::as_slice);
            #[cfg(not(feature = "std"))]
            let packed = None;
            pixels::run(g, operands, packed, out, means);
        }
    }
}

/// Whether padding may be taken for zeros: the product of a zero and an infinite
/// weight would not be one.
fn pads_with_zeros(g: &Geometry, weight: &[f32]) -> bool {
    g.padding == [0, 0] || weight.iter().all(|w| w.is_finite())
}

/// The bias per output channel in the type of the output.
fn bias_values<T: Element>(bias: Option<&TensorRef<'_>>) -> KernelResult<Option<Scratch<T>>> {
    let Some(bias) = bias else { return Ok(None) };
    with_dtype!(bias.scalar_type(), all, B => {
        Ok(Some(Scratch::of(bias.data::<B>()?.iter().map(|b| b.cast()))))
    }, else Err(KernelError::argument(format!("a bias of {}", bias.scalar_type()))))
}
