//! Convolution of channels-last float32 images: pixels × weights.
//!
//! A row of the product is a position with all that the kernel meets there, a
//! column an output channel. Its depth goes over input channels, then taps, in
//! the order of ExecuTorch's loop, whatever the layout of the image.

use super::geometry::Geometry;
use super::planes::ordered;
use crate::kernels::means::Means;
#[cfg(feature = "std")]
pub(super) use crate::kernels::panel::Packed;
use crate::kernels::panel::{self, Bias, Columns, Left, Right, Rows};
use crate::kernels::scratch::Scratch;
#[cfg(feature = "std")]
use alloc::vec::Vec;
use core::ops::Range;

/// Elements that are gathered before they are multiplied.
const TILE: usize = 1 << 20;
/// Positions that are worth packing the weights for.
const MIN_POSITIONS: usize = 64;

/// The weights of each group, laid out for products.
#[cfg(feature = "std")]
pub(super) fn packed(g: &Geometry, weight: &[f32]) -> Vec<Packed> {
    let mut memory = Scratch::empty();
    let weight = ordered(g, weight, &mut memory);
    let depth = g.group_in() * g.kernel[0] * g.kernel[1];
    let columns = (0..g.groups).map(|group| Weights::of(g, weight, group, depth));
    columns.map(|columns| Packed::of(&columns, depth)).collect()
}

/// Weights that were kept; there are none without the standard library.
#[cfg(not(feature = "std"))]
pub(super) enum Packed {}

/// Runs it; `kept` are the weights as [`packed`] makes them, if they were kept.
pub(super) fn run(
    g: &Geometry,
    (input, weight, bias): (&[f32], &[f32], Option<&[f32]>),
    kept: Option<&[Packed]>,
    out: &mut [f32],
    means: Means,
) {
    let kept = kept.filter(|kept| fit(g, kept));
    let mut memory = Scratch::empty();
    let weight = match kept {
        Some(_) => weight,
        None => ordered(g, weight, &mut memory),
    };
    let depth = g.group_in() * g.kernel[0] * g.kernel[1];
    let tile = (TILE / depth.max(1)).max(MIN_POSITIONS).min(g.positions());
    let mut gathered = Scratch::empty();
    for n in 0..g.batch {
        for group in 0..g.groups {
            let input = &input[n * g.in_strides[0] + group * g.group_in() * g.in_strides[1]..];
            let first = group * g.group_out();
            let columns = Weights::of(g, weight, group, depth);
            let bias = bias.map_or(Bias::None, |b| Bias::Columns(&b[first..][..g.group_out()]));
            for start in (0..g.positions()).step_by(tile) {
                let count = tile.min(g.positions() - start);
                let rows = if g.is_pointwise() {
                    let data = &input[start * g.in_strides[3]..];
                    Rows { data, count, stride: g.in_strides[3], depth }
                } else {
                    gather(g, input, start..start + count, &mut gathered);
                    Rows { data: &gathered, count, stride: depth, depth }
                };
                let stride = g.out_strides[3];
                let out = &mut out[n * g.out_strides[0] + start * stride + first..];
                let end = out.len().min(count * stride);
                let out = (&mut out[..end], stride);
                let right = match kept {
                    #[cfg(feature = "std")]
                    Some(kept) => Right::Packed(&kept[group]),
                    _ => Right::Columns(&columns),
                };
                panel::multiply(Left::Rows(rows), right, bias, out, means);
            }
        }
    }
}

/// Whether the kept weights are those of this call.
fn fit(g: &Geometry, kept: &[Packed]) -> bool {
    #[cfg(feature = "std")]
    let of_groups = kept.iter().all(|packed| packed.count() == g.group_out());
    #[cfg(not(feature = "std"))]
    let of_groups = false;
    of_groups && kept.len() == g.groups
}

/// What the kernel meets at each position, padding as zeros.
fn gather(g: &Geometry, input: &[f32], positions: Range<usize>, out: &mut Scratch<f32>) {
    let [_, channel_stride, h_stride, w_stride] = g.in_strides;
    let area = g.kernel[0] * g.kernel[1];
    let depth = g.group_in() * area;
    out.resize(positions.len() * depth);
    out.fill(0.0);
    for (position, row) in positions.zip(out.chunks_exact_mut(depth.max(1))) {
        let (y, x) = (position / g.output[1], position % g.output[1]);
        for kernel_h in 0..g.kernel[0] {
            let Some(line) = g.input_at(0, y, kernel_h) else { continue };
            for kernel_w in 0..g.kernel[1] {
                let Some(column) = g.input_at(1, x, kernel_w) else { continue };
                let pixel = input[line * h_stride + column * w_stride..].iter();
                let tap = &mut row[kernel_h * g.kernel[1] + kernel_w..];
                for (out, value) in tap.iter_mut().step_by(area).zip(pixel.step_by(channel_stride))
                {
                    *out = *value;
                }
            }
        }
    }
}

/// The columns: one per output channel.
struct Weights<'a> {
    data: &'a [f32],
    count: usize,
    depth: usize,
}

impl<'a> Weights<'a> {
    fn of(g: &Geometry, ordered: &'a [f32], group: usize, depth: usize) -> Self {
        let data = &ordered[group * g.group_out() * depth..];
        Weights { data, count: g.group_out(), depth }
    }
}

impl Columns for Weights<'_> {
    fn count(&self) -> usize {
        self.count
    }

    #[inline(always)]
    fn pack(&self, columns: Range<usize>, depth: Range<usize>, width: usize, panel: &mut [f32]) {
        panel.fill(0.0);
        for (at, column) in columns.enumerate() {
            let weights = &self.data[column * self.depth..][depth.clone()];
            for (line, weight) in panel.chunks_exact_mut(width).zip(weights) {
                line[at] = *weight;
            }
        }
    }
}
