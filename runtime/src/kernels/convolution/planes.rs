//! Convolution of contiguous float32 images: output planes = weights × taps.
//!
//! A row of the product is an output channel, a column a position, and its
//! depth goes over input channels and taps, in the order of ExecuTorch's loop.

use super::geometry::Geometry;
#[cfg(feature = "std")]
use super::in_place::View;
use super::phases::Phases;
use crate::kernels::means::Means;
use crate::kernels::panel::{self, Bias, Columns, Left, Planes, Right, Rows, Tiles};
use crate::kernels::scratch::Scratch;
use crate::kernels::simd::vectorized;
use alloc::vec::Vec;
use core::ops::Range;
use smallvec::SmallVec;

/// Runs it; `phases` is the layout of the padded planes, `tiles` are the
/// weights as [`tiles`] makes them, if they were kept.
pub(super) fn run(
    g: &Geometry,
    phases: &Phases,
    (input, weight, bias): (&[f32], &[f32], Option<&[f32]>),
    kept: Option<&[Tiles]>,
    out: &mut [f32],
    means: Means,
) {
    let depth = g.group_in() * phases.taps.len();
    let kept = kept.filter(|tiles| {
        let fits = |tiles: &Tiles| tiles.count() == g.group_out() && tiles.depth() == depth;
        tiles.len() == g.groups && tiles.iter().all(fits)
    });
    let mut memory = Scratch::empty();
    let weight = match kept {
        Some(_) => weight,
        None => ordered(g, weight, &mut memory),
    };
    let plain = g.is_pointwise();
    #[cfg(feature = "std")]
    let view = View::of(g, phases);
    #[cfg(feature = "std")]
    let spare = View::SPARE;
    #[cfg(not(feature = "std"))]
    let spare = 0;
    let split = if plain { 0 } else { g.group_in() * phases.size() + spare };
    // Zeros, as padding is never written.
    let mut split = Scratch::filled(split, 0.0);
    for n in 0..g.batch {
        for group in 0..g.groups {
            let input = &input[n * g.in_strides[0] + group * g.group_in() * g.in_strides[1]..];
            let first = group * g.group_out();
            let left = match kept {
                Some(tiles) => Left::Tiles(&tiles[group]),
                None => Left::Rows(rows_of(g, weight, group, depth)),
            };
            let bias = bias.map_or(Bias::None, |b| Bias::Rows(&b[first..][..g.group_out()]));
            let plane = g.positions();
            let out = &mut out[n * g.out_strides[0] + first * plane..];
            let out = (&mut out[..g.group_out() * plane], plane);
            if !plain {
                split_all(g, phases, input, &mut split);
            }
            #[cfg(feature = "std")]
            if let Some(view) = &view {
                let data = if plain { input } else { &split };
                panel::multiply(left, view.right(data), bias, out, means);
                continue;
            }
            if plain {
                let columns = pixels(g, input);
                panel::multiply(left, Right::Columns(&columns), bias, out, means);
            } else {
                let columns = Taps { phases, planes: &split, output: g.output };
                panel::multiply(left, Right::Columns(&columns), bias, out, means);
            }
        }
    }
}

/// The columns of all positions of one image, which has one group.
#[cfg(feature = "std")]
pub(super) fn packed(g: &Geometry, phases: &Phases, input: &[f32]) -> panel::Packed {
    let depth = g.in_channels * phases.taps.len();
    if g.is_pointwise() {
        return panel::Packed::of(&pixels(g, input), depth);
    }
    let planes = &split(g, phases, input);
    panel::Packed::of(&Taps { phases, planes, output: g.output }, depth)
}

/// The planes of one image, which has one group, padded and split.
#[cfg(feature = "std")]
pub(super) fn split(g: &Geometry, phases: &Phases, input: &[f32]) -> Scratch<f32> {
    let mut split = Scratch::filled(g.in_channels * phases.size() + View::SPARE, 0.0);
    split_all(g, phases, input, &mut split);
    split
}

/// The weights of each group, interleaved for products.
pub(super) fn tiles(g: &Geometry, weight: &[f32]) -> Vec<Tiles> {
    let mut memory = Scratch::empty();
    let weight = ordered(g, weight, &mut memory);
    let depth = g.group_in() * g.kernel[0] * g.kernel[1];
    (0..g.groups).map(|group| Tiles::of(rows_of(g, weight, group, depth))).collect()
}

/// The weights of one group.
fn rows_of<'a>(g: &Geometry, ordered: &'a [f32], group: usize, depth: usize) -> Rows<'a> {
    let data = &ordered[group * g.group_out() * depth..];
    Rows { data, count: g.group_out(), stride: depth, depth }
}

fn split_all(g: &Geometry, phases: &Phases, input: &[f32], split: &mut [f32]) {
    vectorized(
        #[inline(always)]
        || {
            let channels = 0..g.group_in();
            for (channel, split) in channels.zip(split.chunks_exact_mut(phases.size())) {
                phases.split(&input[channel * g.in_strides[1]..], g.in_strides[2], split);
            }
        },
    );
}

/// The weights, output channel by output channel, then input channel, then tap:
/// as they are, or in `memory`.
pub(super) fn ordered<'a>(
    g: &Geometry,
    weight: &'a [f32],
    memory: &'a mut Scratch<f32>,
) -> &'a [f32] {
    let [out_stride, in_stride, h_stride, w_stride] = g.weight_strides;
    let [kernel_h, kernel_w] = g.kernel;
    let sizes = [g.out_channels, g.group_in(), kernel_h, kernel_w];
    let area = kernel_h * kernel_w;
    let wanted = [g.group_in() * area, area, kernel_w, 1];
    if (0..4).all(|dim| sizes[dim] <= 1 || g.weight_strides[dim] == wanted[dim]) {
        return weight;
    }
    memory.resize(g.out_channels * wanted[0]);
    let mut places = memory.iter_mut();
    for o in 0..g.out_channels {
        for i in 0..g.group_in() {
            for y in 0..kernel_h {
                let first = o * out_stride + i * in_stride + y * h_stride;
                for (x, place) in (0..kernel_w).zip(&mut places) {
                    *place = weight[first + x * w_stride];
                }
            }
        }
    }
    memory
}

/// The columns of a 1×1 kernel: the input as it is.
fn pixels<'a>(g: &Geometry, input: &'a [f32]) -> Planes<'a> {
    Planes::new(input, g.in_strides[1], g.positions())
}

/// The columns of any kernel, from padded planes.
struct Taps<'a> {
    phases: &'a Phases,
    planes: &'a [f32],
    output: [usize; 2],
}

/// Positions in one row of the output.
struct Segment {
    /// Where in the panel.
    at: usize,
    /// Where in a phase.
    source: usize,
    len: usize,
}

impl Taps<'_> {
    /// The rows of the output that some positions lie in.
    #[inline(always)]
    fn segments(&self, positions: Range<usize>) -> SmallVec<[Segment; 16]> {
        let mut segments = SmallVec::new();
        let mut position = positions.start;
        while position < positions.end {
            let (y, x) = (position / self.output[1], position % self.output[1]);
            let len = (self.output[1] - x).min(positions.end - position);
            let at = position - positions.start;
            segments.push(Segment { at, source: y * self.phases.row + x, len });
            position += len;
        }
        segments
    }
}

impl Columns for Taps<'_> {
    fn count(&self) -> usize {
        self.output[0] * self.output[1]
    }

    #[inline(always)]
    fn pack(&self, columns: Range<usize>, depth: Range<usize>, width: usize, panel: &mut [f32]) {
        let segments = self.segments(columns.clone());
        let taps = &self.phases.taps;
        for (k, line) in depth.zip(panel.chunks_exact_mut(width)) {
            let plane = &self.planes[k / taps.len() * self.phases.size() + taps[k % taps.len()]..];
            match &segments[..] {
                [whole] => panel::fill(line, &plane[whole.source..][..whole.len]),
                segments => {
                    line[columns.len()..].fill(0.0);
                    for part in segments {
                        line[part.at..][..part.len]
                            .copy_from_slice(&plane[part.source..][..part.len]);
                    }
                }
            }
        }
    }
}
