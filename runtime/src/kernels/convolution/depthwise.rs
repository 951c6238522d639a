//! Depthwise convolution in float32: too little arithmetic per byte for a
//! matrix product. Contiguous images are taken plane by plane, channels-last
//! ones pixel by pixel.

use super::geometry::Geometry;
use super::phases::Phases;
use crate::kernels::means::{Means, Rounding};
use crate::kernels::parallel;
use crate::kernels::scratch::Scratch;
use crate::kernels::simd::{Step, vectorized_steps};
use smallvec::SmallVec;

/// Outputs that are computed together: enough to keep the sums in registers.
const BLOCK: usize = 32;
/// Multiplications that are worth a thread.
const WORTH_A_THREAD: usize = 1 << 17;

/// Input, weights and bias of a convolution.
type Operands<'a> = (&'a [f32], &'a [f32], Option<&'a [f32]>);

/// Threads that `channels` are worth.
fn threads(g: &Geometry, available: usize) -> usize {
    let work = g.out_channels * g.positions() * g.kernel[0] * g.kernel[1];
    available.min(work / WORTH_A_THREAD).max(1)
}

/// Contiguous images, plane by plane, by way of their padded planes.
pub(super) fn planes(
    g: &Geometry,
    phases: Phases,
    (input, weight, bias): Operands<'_>,
    out: &mut [f32],
    means: Means,
) {
    let threads = threads(g, means.threads);
    // Whole groups, so that an input plane is split by one thread only.
    let share = g.groups.div_ceil(threads) * g.group_out();
    for n in 0..g.batch {
        let out = &mut out[n * g.out_strides[0]..][..g.out_channels * g.positions()];
        let input = &input[n * g.in_strides[0]..];
        parallel::chunks(out, share * g.positions(), threads, |index, out| {
            some_planes(g, &phases, (input, weight, bias), index * share, out, means.rounding);
        });
    }
}

/// The planes of the output channels from `first` on that `out` holds; `input`,
/// `weight` and `bias` are those of all channels.
pub(super) fn some_planes(
    g: &Geometry,
    phases: &Phases,
    (input, weight, bias): Operands<'_>,
    first: usize,
    out: &mut [f32],
    rounding: Rounding,
) {
    #[cfg(feature = "std")]
    if super::strips::suits(g) {
        let input = &input[first * g.in_strides[1]..];
        let weight = &weight[first * g.weight_strides[0]..];
        let bias = bias.map(|bias| &bias[first..]);
        let after = crate::kernels::panel::After::default();
        return super::strips::run(g, (input, weight, bias), after, out, rounding);
    }
    let mut task = Planes { g, phases, input, weight, bias };
    vectorized_steps(
        rounding,
        #[inline(always)]
        |step| task.run(step, first, out),
    );
}

struct Planes<'a> {
    g: &'a Geometry,
    phases: &'a Phases,
    input: &'a [f32],
    weight: &'a [f32],
    bias: Option<&'a [f32]>,
}

impl Planes<'_> {
    /// The output channels from `first` on that `out` holds.
    #[inline(always)]
    fn run(&mut self, step: Step, first: usize, out: &mut [f32]) {
        let (g, phases) = (self.g, self.phases);
        // The sums of the outputs of a plane, with what lies between its rows.
        let span = (g.output[0] - 1) * phases.row + g.output[1];
        let sums = span.next_multiple_of(BLOCK);
        // Zeros, as padding is never written.
        let mut memory = Scratch::filled(sums + phases.size() + BLOCK, 0.0);
        let (sums, plane) = memory.split_at_mut(sums);
        let mut taps: SmallVec<[(usize, f32); 32]> =
            phases.taps.iter().map(|offset| (*offset, 0.0)).collect();
        for (channel, out) in (first..).zip(out.chunks_exact_mut(g.positions())) {
            if (channel - first).is_multiple_of(g.group_out()) {
                let input = &self.input[channel / g.group_out() * g.in_strides[1]..];
                phases.split(input, g.in_strides[2], plane);
            }
            self.set_factors(channel, &mut taps);
            convolve(step, plane, &taps, self.bias.map(|bias| bias[channel]), sums);
            let rows = out.chunks_exact_mut(g.output[1]);
            for (out, sums) in rows.zip(sums.chunks(phases.row)) {
                out.copy_from_slice(&sums[..out.len()]);
            }
        }
    }

    #[inline(always)]
    fn set_factors(&self, channel: usize, taps: &mut [(usize, f32)]) {
        let [out_stride, _, weight_h, weight_w] = self.g.weight_strides;
        let kernel = &self.weight[channel * out_stride..];
        for (index, (_, factor)) in taps.iter_mut().enumerate() {
            let (y, x) = (index / self.g.kernel[1], index % self.g.kernel[1]);
            *factor = kernel[y * weight_h + x * weight_w];
        }
    }
}

/// `sums[i] = Σ factor * plane[i + offset] + bias`, in whole blocks.
#[inline(always)]
fn convolve(step: Step, plane: &[f32], taps: &[(usize, f32)], bias: Option<f32>, sums: &mut [f32]) {
    for (block, sums) in sums.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
        let mut sum = [0.0; BLOCK];
        for (offset, factor) in taps {
            let line = &plane[offset + block * BLOCK..][..BLOCK];
            for (sum, value) in sum.iter_mut().zip(line) {
                *sum = step.add(*sum, *factor, *value);
            }
        }
        if let Some(bias) = bias {
            sum.iter_mut().for_each(|sum| *sum += bias);
        }
        *sums = sum;
    }
}

/// Channels-last images, pixel by pixel, all channels at once.
pub(super) fn pixels(
    g: &Geometry,
    (input, weight, bias): Operands<'_>,
    out: &mut [f32],
    means: Means,
) {
    let threads = threads(g, means.threads);
    let weight = by_tap(g, weight);
    let stride = g.out_strides[3];
    let share = g.positions().div_ceil(threads);
    for n in 0..g.batch {
        let input = &input[n * g.in_strides[0]..];
        let out = &mut out[n * g.out_strides[0]..][..g.positions() * stride];
        parallel::chunks(out, share * stride, threads, |index, out| {
            vectorized_steps(
                means.rounding,
                #[inline(always)]
                |step| {
                    for (position, out) in (index * share..).zip(out.chunks_exact_mut(stride)) {
                        pixel(step, g, input, &weight, position, &mut out[..g.out_channels]);
                        if let Some(bias) = bias {
                            out.iter_mut().zip(bias).for_each(|(out, bias)| *out += bias);
                        }
                    }
                },
            );
        });
    }
}

/// The weights with output channels innermost.
fn by_tap(g: &Geometry, weight: &[f32]) -> Scratch<f32> {
    let [out_stride, _, weight_h, weight_w] = g.weight_strides;
    let mut taps = Scratch::new(g.kernel[0] * g.kernel[1] * g.out_channels);
    let mut lines = taps.chunks_exact_mut(g.out_channels.max(1));
    for kernel_h in 0..g.kernel[0] {
        for kernel_w in 0..g.kernel[1] {
            let place = kernel_h * weight_h + kernel_w * weight_w;
            let line = lines.next().into_iter().flatten();
            for (c, tap) in line.enumerate() {
                *tap = weight[c * out_stride + place];
            }
        }
    }
    taps
}

/// The sums of one position, before the bias.
#[inline(always)]
fn pixel(
    step: Step,
    g: &Geometry,
    input: &[f32],
    weight: &[f32],
    position: usize,
    out: &mut [f32],
) {
    let (y, x) = (position / g.output[1], position % g.output[1]);
    let [_, in_channel, in_h, in_w] = g.in_strides;
    out.fill(0.0);
    for kernel_h in 0..g.kernel[0] {
        let Some(line) = g.input_at(0, y, kernel_h) else { continue };
        for kernel_w in 0..g.kernel[1] {
            let Some(column) = g.input_at(1, x, kernel_w) else { continue };
            let source = &input[line * in_h + column * in_w..];
            let tap = kernel_h * g.kernel[1] + kernel_w;
            let factors = &weight[tap * g.out_channels..][..g.out_channels];
            if in_channel == 1 && g.group_out() == 1 {
                for ((out, value), factor) in out.iter_mut().zip(source).zip(factors) {
                    *out = step.add(*out, *factor, *value);
                }
            } else {
                for (channel, (out, factor)) in out.iter_mut().zip(factors).enumerate() {
                    let value = source[channel / g.group_out() * in_channel];
                    *out = step.add(*out, *factor, value);
                }
            }
        }
    }
}
