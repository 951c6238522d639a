//! Some output channels of a float32 convolution of contiguous images at a
//! time, for instructions that run together ([`fused`](crate::kernels::fused)).

use super::geometry::Geometry;
use super::phases::Phases;
use super::{bias_values, depthwise, pads_with_zeros, planes};
use crate::kernels::Args;
use crate::kernels::means::Rounding;
use crate::kernels::panel::{self, Bias, NoColumns, Packed, Right, Tiles};
use crate::kernels::scratch::Scratch;
use crate::tensor::TensorMut;
use alloc::vec::Vec;
use core::ops::Range;
use et_schema::ScalarType;

/// A convolution whose shapes and weights never change.
pub(in crate::kernels) struct Convolution {
    g: Geometry,
    phases: Phases,
    weights: Weights,
    bias: Option<Scratch<f32>>,
}

enum Weights {
    /// For a product with all that the kernel meets.
    Product(Tiles),
    /// One kernel per channel.
    Depthwise(Vec<f32>),
}

/// What the channels are computed from.
pub(in crate::kernels) enum Source<'a> {
    /// One image, in panels.
    Packed(Packed),
    /// The planes of one image from channel `.1` on.
    Planes(&'a [f32], usize),
}

impl Convolution {
    /// The convolution of a call, if it is one of float32 in contiguous images
    /// that is either depthwise or has one group. Weights and bias must be constant.
    pub fn of(args: &Args<'_>, out: &mut TensorMut<'_>) -> Option<Self> {
        let (input, weight) = (args.tensor(0).ok()?, args.tensor(1).ok()?);
        let bias = args.optional_tensor(2).ok()?;
        let g = Geometry::of(args, &input, &weight, bias.as_ref(), out).ok()?;
        let contiguous = input.is_contiguous() && out.is_contiguous();
        if g.transposed || !contiguous || out.scalar_type() != ScalarType::Float {
            return None;
        }
        let phases = Phases::of(&g)?;
        let weight = weight.data::<f32>().ok()?;
        if out.numel() == 0 || g.in_channels == 0 || !pads_with_zeros(&g, weight) {
            return None;
        }
        let weights = if g.is_depthwise() && g.group_out() == 1 {
            Weights::Depthwise(weight.to_vec())
        } else if g.groups == 1 {
            Weights::Product(planes::tiles(&g, weight).pop()?)
        } else {
            return None;
        };
        Some(Convolution { g, phases, weights, bias: bias_values(bias.as_ref()).ok()? })
    }

    /// Whether a channel of the output takes only the same channel of the input.
    pub fn is_depthwise(&self) -> bool {
        matches!(self.weights, Weights::Depthwise(_))
    }

    /// Images.
    pub fn batch(&self) -> usize {
        self.g.batch
    }

    /// Channels of the output.
    pub fn channels(&self) -> usize {
        self.g.out_channels
    }

    /// Elements of a plane of the output.
    pub fn plane(&self) -> usize {
        self.g.positions()
    }

    /// Whether it reads its input as it is.
    pub fn reads_planes(&self) -> bool {
        self.is_depthwise() || self.in_place(&[]).is_some()
    }

    fn in_place<'a>(&self, image: &'a [f32]) -> Option<Right<'a, NoColumns>> {
        planes::in_place(&self.g, image)
    }

    /// What image `n` of the input is computed from.
    pub fn source<'a>(&self, input: &'a [f32], n: usize) -> Source<'a> {
        match self.reads_planes() {
            true => Source::Planes(&input[n * self.g.in_strides[0]..], 0),
            false => Source::Packed(self.packed(input, n)),
        }
    }

    /// Image `n` of the input in panels.
    pub fn packed(&self, input: &[f32], n: usize) -> Packed {
        planes::packed(&self.g, &self.phases, &input[n * self.g.in_strides[0]..])
    }

    /// Computes the planes of `channels`. The first must be a multiple of
    /// [`Tiles::STEP`].
    pub fn run(
        &self,
        source: &Source<'_>,
        channels: Range<usize>,
        out: &mut [f32],
        rounding: Rounding,
    ) {
        let bias = self.bias.as_ref().map(|bias| &bias[channels.start..]);
        match (&self.weights, source) {
            (Weights::Product(tiles), source) => {
                let right = match source {
                    Source::Packed(packed) => Some(Right::Packed(packed)),
                    Source::Planes(image, _) => self.in_place(image),
                };
                // A source is made for its convolution.
                let Some(right) = right else { return };
                let bias = bias.map_or(Bias::None, Bias::Rows);
                panel::multiply_rows(tiles, channels, right, bias, (out, self.plane()), rounding);
            }
            (Weights::Depthwise(weight), Source::Planes(planes, first)) => {
                let weight = &weight[channels.start * self.g.weight_strides[0]..];
                let input = &planes[(channels.start - first) * self.g.in_strides[1]..];
                let operands = (input, weight, bias);
                depthwise::some_planes(&self.g, &self.phases, operands, 0, out, rounding);
            }
            (Weights::Depthwise(_), Source::Packed(_)) => {}
        }
    }
}
