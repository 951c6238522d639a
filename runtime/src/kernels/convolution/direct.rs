//! Convolution by its definition, for types without a faster way, row by row of
//! the output, and the transposed convolution, in which every input element spreads over the output.

use super::geometry::Geometry;
use crate::kernels::scratch::Scratch;
use crate::kernels::simd::vectorized;
use crate::tensor::Element;
use core::ops::Range;

/// Runs a convolution of any type.
pub(super) fn run<T: Element>(
    g: &Geometry,
    (input, weight, bias): (&[T], &[T], Option<&[T]>),
    out: &mut [T],
) {
    if g.transposed {
        transposed(g, input, weight, bias, out);
        return;
    }
    let mut sums = Scratch::<T>::new(g.output[1]);
    for n in 0..g.batch {
        for channel in 0..g.out_channels {
            for y in 0..g.output[0] {
                vectorized(
                    #[inline(always)]
                    || row(g, input, weight, [n, channel, y], &mut sums),
                );
                let first = offset(&g.out_strides, [n, channel, y, 0]);
                let places = out[first..].iter_mut().step_by(g.out_strides[3].max(1));
                for (place, sum) in places.zip(sums.iter()) {
                    *place = bias.map_or(*sum, |bias| sum.add(bias[channel]));
                }
            }
        }
    }
}

#[inline]
fn offset(strides: &[usize; 4], index: [usize; 4]) -> usize {
    strides.iter().zip(index).map(|(s, i)| s * i).sum()
}

/// Arithmetic in a type, each result rounded to it. Integers wrap.
trait Arithmetic: Element {
    fn add(self, other: Self) -> Self;
    fn multiply(self, other: Self) -> Self;
}

impl<T: Element> Arithmetic for T {
    /// The sum of two numbers of half the digits of float64 or fewer, rounded
    /// twice, is the one rounded once.
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        if T::IS_FLOAT {
            T::from_f64(self.to_f64() + other.to_f64())
        } else {
            T::from_i64(self.to_i64().wrapping_add(other.to_i64()))
        }
    }

    #[inline(always)]
    fn multiply(self, other: Self) -> Self {
        if T::IS_FLOAT {
            T::from_f64(self.to_f64() * other.to_f64())
        } else {
            T::from_i64(self.to_i64().wrapping_mul(other.to_i64()))
        }
    }
}

/// One row of the output, before the bias: each sum over input channels, then
/// taps, all sums of the row one step at a time.
#[inline(always)]
fn row<T: Element>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    [n, channel, y]: [usize; 3],
    sums: &mut [T],
) {
    let first = channel / g.group_out() * g.group_in();
    let step = g.stride[1] * g.in_strides[3];
    sums.fill(T::default());
    for c in 0..g.group_in() {
        for kernel_h in 0..g.kernel[0] {
            let Some(line) = g.input_at(0, y, kernel_h) else { continue };
            for kernel_w in 0..g.kernel[1] {
                let inside = positions(g, kernel_w);
                let Some(column) = g.input_at(1, inside.start, kernel_w) else { continue };
                let factor = weight[offset(&g.weight_strides, [channel, c, kernel_h, kernel_w])];
                let values = &input[offset(&g.in_strides, [n, first + c, line, column])..];
                let sums = &mut sums[inside];
                if step == 1 {
                    for (sum, value) in sums.iter_mut().zip(values) {
                        *sum = sum.add(value.multiply(factor));
                    }
                } else {
                    for (sum, value) in sums.iter_mut().zip(values.iter().step_by(step.max(1))) {
                        *sum = sum.add(value.multiply(factor));
                    }
                }
            }
        }
    }
}

/// The columns of the output at which `kernel_w` meets no padding; some for
/// which [`Geometry::input_at`] finds none at the first if there are none.
fn positions(g: &Geometry, kernel_w: usize) -> Range<usize> {
    let reach = kernel_w * g.dilation[1];
    let start = g.padding[1].saturating_sub(reach).div_ceil(g.stride[1]);
    let end = (g.input[1] + g.padding[1]).saturating_sub(reach).div_ceil(g.stride[1]);
    let end = end.min(g.output[1]);
    start.min(end)..end
}

/// Every input spreads over the output, in the order of the inputs' positions.
fn transposed<T: Element>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    bias: Option<&[T]>,
    out: &mut [T],
) {
    // The output with its channels innermost, so that a step goes over many.
    let channels = g.out_channels;
    let mut sums = Scratch::<T>::new(g.positions() * channels);
    let weight = by_input(g, weight);
    for n in 0..g.batch {
        for sums in sums.chunks_exact_mut(channels) {
            match bias {
                Some(bias) => sums.copy_from_slice(bias),
                None => sums.fill(T::default()),
            }
        }
        vectorized(
            #[inline(always)]
            || spread(g, &input[n * g.in_strides[0]..], &weight, &mut sums),
        );
        for (position, sums) in sums.chunks_exact(channels).enumerate() {
            let (y, x) = (position / g.output[1], position % g.output[1]);
            for (channel, sum) in sums.iter().enumerate() {
                out[offset(&g.out_strides, [n, channel, y, x])] = *sum;
            }
        }
    }
}

/// The weights by input channel, tap, output channel of the group.
fn by_input<T: Element>(g: &Geometry, weight: &[T]) -> Scratch<T> {
    let mut ordered = Scratch::new(g.in_channels * g.kernel[0] * g.kernel[1] * g.group_out());
    let mut places = ordered.iter_mut();
    for c in 0..g.in_channels {
        for kernel_h in 0..g.kernel[0] {
            for kernel_w in 0..g.kernel[1] {
                let first = offset(&g.weight_strides, [c, 0, kernel_h, kernel_w]);
                for (out, place) in (0..g.group_out()).zip(&mut places) {
                    *place = weight[first + out * g.weight_strides[1]];
                }
            }
        }
    }
    ordered
}

#[inline(always)]
fn spread<T: Element>(g: &Geometry, input: &[T], weight: &[T], sums: &mut [T]) {
    let [_, channel_stride, h_stride, w_stride] = g.in_strides;
    let (taps, per_group) = (g.kernel[0] * g.kernel[1], g.group_out());
    for line in 0..g.input[0] {
        for column in 0..g.input[1] {
            for c in 0..g.in_channels {
                let value = input[c * channel_stride + line * h_stride + column * w_stride];
                let group = c / g.group_in() * per_group;
                for tap in 0..taps {
                    let (kernel_h, kernel_w) = (tap / g.kernel[1], tap % g.kernel[1]);
                    let Some(y) = output_at(g, 0, line, kernel_h) else { continue };
                    let Some(x) = output_at(g, 1, column, kernel_w) else { continue };
                    let factors = &weight[(c * taps + tap) * per_group..][..per_group];
                    let place = (y * g.output[1] + x) * g.out_channels + group;
                    for (sum, factor) in sums[place..].iter_mut().zip(factors) {
                        *sum = sum.add(value.multiply(*factor));
                    }
                }
            }
        }
    }
}

/// Output coordinate that an input spreads to at `kernel`, if it is not cut off.
#[inline(always)]
fn output_at(g: &Geometry, dim: usize, input: usize, kernel: usize) -> Option<usize> {
    let at = input * g.stride[dim] + kernel * g.dilation[dim];
    at.checked_sub(g.padding[dim]).filter(|at| *at < g.output[dim])
}
