//! Convolution by its definition, for types without a faster way, and the
//! transposed convolution, in which every input element spreads over the output.

use super::gemm::fill_bias;
use super::geometry::Geometry;
use crate::tensor::Element;
use alloc::vec;

/// Runs a convolution of any type.
pub(super) fn run<T: Element>(
    g: &Geometry,
    (input, weight, bias): (&[T], &[T], &[T]),
    out: &mut [T],
) {
    if out.is_empty() {
        return;
    }
    if g.transposed {
        transposed(g, input, weight, bias, out);
        return;
    }
    fill_bias(g, bias, out);
    for n in 0..g.batch {
        for channel in 0..g.out_channels {
            for y in 0..g.output[0] {
                for x in 0..g.output[1] {
                    let place = offset(&g.out_strides, [n, channel, y, x]);
                    out[place] = sum(g, input, weight, [n, channel, y, x], out[place]);
                }
            }
        }
    }
}

#[inline]
fn offset(strides: &[usize; 4], index: [usize; 4]) -> usize {
    strides.iter().zip(index).map(|(s, i)| s * i).sum()
}

/// One element of the output. Integers wrap as they do in their own type.
fn sum<T: Element>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    [n, channel, y, x]: [usize; 4],
    bias: T,
) -> T {
    let first = channel / g.group_out() * g.group_in();
    let (mut float, mut integer) = (bias.to_f64(), bias.to_i64());
    for c in 0..g.group_in() {
        for kernel_h in 0..g.kernel[0] {
            let Some(line) = g.input_at(0, y, kernel_h) else { continue };
            for kernel_w in 0..g.kernel[1] {
                let Some(column) = g.input_at(1, x, kernel_w) else { continue };
                let a = input[offset(&g.in_strides, [n, first + c, line, column])];
                let b = weight[offset(&g.weight_strides, [channel, c, kernel_h, kernel_w])];
                if T::IS_FLOAT {
                    float += a.to_f64() * b.to_f64();
                } else {
                    integer = integer.wrapping_add(a.to_i64().wrapping_mul(b.to_i64()));
                }
            }
        }
    }
    if T::IS_FLOAT { T::from_f64(float) } else { T::from_i64(integer) }
}

/// Sums of one output plane, in the widest types.
#[derive(Clone, Copy, Default)]
struct Sum {
    float: f64,
    integer: i64,
}

fn transposed<T: Element>(g: &Geometry, input: &[T], weight: &[T], bias: &[T], out: &mut [T]) {
    let mut plane = vec![Sum::default(); g.positions()];
    for n in 0..g.batch {
        for channel in 0..g.out_channels {
            let bias = bias[channel];
            plane.fill(Sum { float: bias.to_f64(), integer: bias.to_i64() });
            spread(g, input, weight, n, channel, &mut plane);
            for (position, sum) in plane.iter().enumerate() {
                let (y, x) = (position / g.output[1], position % g.output[1]);
                out[offset(&g.out_strides, [n, channel, y, x])] =
                    if T::IS_FLOAT { T::from_f64(sum.float) } else { T::from_i64(sum.integer) };
            }
        }
    }
}

/// Adds what all inputs of the group give to one output channel.
fn spread<T: Element>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    n: usize,
    channel: usize,
    plane: &mut [Sum],
) {
    let (group, in_group) = (channel / g.group_out(), channel % g.group_out());
    for c in group * g.group_in()..(group + 1) * g.group_in() {
        for kernel_h in 0..g.kernel[0] {
            for kernel_w in 0..g.kernel[1] {
                let b = weight[offset(&g.weight_strides, [c, in_group, kernel_h, kernel_w])];
                for line in 0..g.input[0] {
                    let Some(y) = output_at(g, 0, line, kernel_h) else { continue };
                    for column in 0..g.input[1] {
                        let Some(x) = output_at(g, 1, column, kernel_w) else { continue };
                        let a = input[offset(&g.in_strides, [n, c, line, column])];
                        let sum = &mut plane[y * g.output[1] + x];
                        if T::IS_FLOAT {
                            sum.float += a.to_f64() * b.to_f64();
                        } else {
                            let product = a.to_i64().wrapping_mul(b.to_i64());
                            sum.integer = sum.integer.wrapping_add(product);
                        }
                    }
                }
            }
        }
    }
}

/// Output coordinate that an input spreads to at `kernel`, if it is not cut off.
fn output_at(g: &Geometry, dim: usize, input: usize, kernel: usize) -> Option<usize> {
    let at = input * g.stride[dim] + kernel * g.dilation[dim];
    at.checked_sub(g.padding[dim]).filter(|at| *at < g.output[dim])
}
