//! Some output channels of a float32 convolution of contiguous images at a
//! time, for instructions that run together ([`fused`](crate::kernels::fused)).

use super::geometry::Geometry;
use super::in_place::View;
use super::phases::Phases;
use super::{bias_values, depthwise, pads_with_zeros, planes, strips};
use crate::kernels::Args;
use crate::kernels::means::Rounding;
use crate::kernels::panel::{self, After, Bias, Finish, Packed, Right, Tiles};
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
    /// How a product reads its input where it lies.
    view: Option<View>,
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
    /// One image's planes, padded and split.
    Split(Scratch<f32>),
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
        let view = match weights {
            Weights::Product(_) => View::of(&g, &phases),
            Weights::Depthwise(_) => None,
        };
        let bias = bias_values(bias.as_ref()).ok()?;
        Some(Convolution { g, phases, weights, bias, view })
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
        self.is_depthwise() || (self.view.is_some() && self.g.is_pointwise())
    }

    /// Whether [`Convolution::run`] can do what comes after.
    pub fn takes_after(&self) -> bool {
        !self.is_depthwise() || strips::suits(&self.g)
    }

    /// What image `n` of the input is computed from.
    pub fn source<'a>(&self, input: &'a [f32], n: usize) -> Source<'a> {
        match self.reads_planes() {
            true => Source::Planes(&input[n * self.g.in_strides[0]..], 0),
            false => self.laid_out(input, n),
        }
    }

    /// Image `n` of the input, laid out for the product.
    pub fn laid_out(&self, input: &[f32], n: usize) -> Source<'static> {
        let image = &input[n * self.g.in_strides[0]..];
        match self.view.is_some() && !self.g.is_pointwise() {
            true => Source::Split(planes::split(&self.g, &self.phases, image)),
            false => Source::Packed(planes::packed(&self.g, &self.phases, image)),
        }
    }

    /// Computes the planes of `channels`, and what comes after if that is possible.
    /// The first must be a multiple of [`Tiles::STEP`]; `after` is that of all channels.
    pub fn run(
        &self,
        source: &Source<'_>,
        channels: Range<usize>,
        after: After<'_>,
        out: &mut [f32],
        rounding: Rounding,
    ) {
        let bias = self.bias.as_ref().map(|bias| &bias[channels.start..]);
        let after = after.starting_with(channels.start);
        match (&self.weights, source) {
            (Weights::Product(tiles), source) => {
                let right = match (source, &self.view) {
                    (Source::Packed(packed), _) => Right::Packed(packed),
                    (Source::Split(planes), Some(view)) => view.right(planes),
                    (Source::Planes(image, _), Some(view)) => view.right(image),
                    // A source is made for its convolution.
                    (Source::Split(_) | Source::Planes(..), None) => return,
                };
                let finish = Finish { bias: bias.map_or(Bias::None, Bias::Rows), after };
                panel::multiply_rows(tiles, channels, right, finish, (out, self.plane()), rounding);
            }
            (Weights::Depthwise(weight), Source::Planes(planes, first)) => {
                let weight = &weight[channels.start * self.g.weight_strides[0]..];
                let input = &planes[(channels.start - first) * self.g.in_strides[1]..];
                let operands = (input, weight, bias);
                if strips::suits(&self.g) {
                    return strips::run(&self.g, operands, after, out, rounding);
                }
                depthwise::some_planes(&self.g, &self.phases, operands, 0, out, rounding);
            }
            (Weights::Depthwise(_), Source::Packed(_) | Source::Split(_)) => {}
        }
    }
}
