//! Convolution as matrix products.
//!
//! For each group, output (channels × positions) = weights (channels × taps) ×
//! unfolded input (taps × positions). A 1×1 kernel needs no unfolding: the
//! input is that matrix already. Otherwise the input is unfolded tile by tile,
//! so that a tile stays in the cache whatever the size of the image.

use super::geometry::Geometry;
use crate::error::KernelResult;
use crate::kernels::matrix::{Multiply, Shape};
use alloc::vec::Vec;

/// Elements of an unfolded tile.
const TILE: usize = 96 * 1024;
/// Fewer positions than this per product are not worth it.
const MIN_POSITIONS: usize = 64;

/// Input, weights and bias of a convolution.
type Operands<'a, T> = (&'a [T], &'a [T], &'a [T]);

pub(super) fn run<T: Multiply>(
    g: &Geometry,
    (input, weight, bias): Operands<'_, T>,
    out: &mut [T],
    threads: usize,
) -> KernelResult {
    if out.is_empty() {
        return Ok(());
    }
    fill_bias(g, bias, out);
    if g.group_in() == 0 {
        return Ok(());
    }
    let taps = Taps::of(g, weight);
    let weight = taps.packed.as_deref().unwrap_or(weight);
    let mut columns = Vec::new();
    for n in 0..g.batch {
        for group in 0..g.groups {
            let input = &input[n * g.in_strides[0] + group * g.group_in() * g.in_strides[1]..];
            let weight = &weight[group * g.group_out() * taps.count..];
            let out = &mut out[n * g.out_strides[0] + group * g.group_out() * g.out_strides[1]..];
            if g.is_pointwise() {
                pointwise(g, input, weight, out, threads)?;
            } else {
                unfolded(g, &taps, input, weight, out, &mut columns, threads)?;
            }
        }
    }
    Ok(())
}

/// The output of a convolution of zeros.
pub(super) fn fill_bias<T: Copy>(g: &Geometry, bias: &[T], out: &mut [T]) {
    let [batch_stride, channel_stride, _, step] = g.out_strides;
    for n in 0..g.batch {
        for (channel, bias) in bias.iter().enumerate() {
            let plane = &mut out[n * batch_stride + channel * channel_stride..];
            if step == 1 {
                plane[..g.positions()].fill(*bias);
            } else {
                plane.iter_mut().step_by(step).take(g.positions()).for_each(|o| *o = *bias);
            }
        }
    }
}

/// Positions of the output follow each other at a fixed distance in both layouts.
fn out_shape(g: &Geometry, positions: usize) -> Shape {
    Shape {
        rows: g.group_out(),
        cols: positions,
        row_stride: g.out_strides[1],
        col_stride: g.out_strides[3],
    }
}

fn pointwise<T: Multiply>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    out: &mut [T],
    threads: usize,
) -> KernelResult {
    let columns = Shape {
        rows: g.group_in(),
        cols: g.positions(),
        row_stride: g.in_strides[1],
        col_stride: g.in_strides[3],
    };
    let weights = Shape::row_major(g.group_out(), g.group_in());
    let out = (out, out_shape(g, g.positions()));
    T::multiply(out, (weight, weights), (input, columns), true, threads)
}

/// Order of the taps: along a row of the weight matrix.
struct Taps<T> {
    count: usize,
    /// Input channels innermost, as in channels-last weights.
    channels_inner: bool,
    /// The weights in that order, if they are not in memory.
    packed: Option<Vec<T>>,
}

impl<T: Multiply> Taps<T> {
    fn of(g: &Geometry, weight: &[T]) -> Self {
        let [kernel_h, kernel_w] = g.kernel;
        let area = kernel_h * kernel_w;
        let count = g.group_in() * area;
        let channels_inner = g.in_strides[3] != 1 && g.group_in() > 1;
        let [out_stride, channel_stride, h_stride, w_stride] = g.weight_strides;
        let wanted = if channels_inner {
            [count, 1, kernel_w * g.group_in(), g.group_in()]
        } else {
            [count, area, kernel_w, 1]
        };
        let sizes = [g.out_channels, g.group_in(), kernel_h, kernel_w];
        let strides = [out_stride, channel_stride, h_stride, w_stride];
        let in_place = (0..4).all(|dim| sizes[dim] <= 1 || strides[dim] == wanted[dim]);
        let packed = (!in_place).then(|| {
            let mut packed = alloc::vec![T::default(); g.out_channels * count];
            for (index, value) in packed.iter_mut().enumerate() {
                let (out_channel, tap) = (index / count, index % count);
                let (channel, position) = if channels_inner {
                    (tap % g.group_in(), tap / g.group_in())
                } else {
                    (tap / area, tap % area)
                };
                *value = weight[out_channel * out_stride
                    + channel * channel_stride
                    + position / kernel_w * h_stride
                    + position % kernel_w * w_stride];
            }
            packed
        });
        Taps { count, channels_inner, packed }
    }
}

fn unfolded<T: Multiply>(
    g: &Geometry,
    taps: &Taps<T>,
    input: &[T],
    weight: &[T],
    out: &mut [T],
    columns: &mut Vec<T>,
    threads: usize,
) -> KernelResult {
    let tile = (TILE / taps.count.max(1)).max(MIN_POSITIONS).min(g.positions());
    columns.resize(taps.count * tile, T::default());
    let weights = Shape::row_major(g.group_out(), taps.count);
    let mut first = 0;
    while first < g.positions() {
        let count = tile.min(g.positions() - first);
        let shape = if taps.channels_inner {
            unfold_pixels(g, taps.count, input, first, count, columns);
            Shape { rows: taps.count, cols: count, row_stride: 1, col_stride: taps.count }
        } else {
            unfold_planes(g, input, first, count, columns);
            Shape::row_major(taps.count, count)
        };
        let out = (&mut out[first * g.out_strides[3]..], out_shape(g, count));
        T::multiply(out, (weight, weights), (columns, shape), true, threads)?;
        first += count;
    }
    Ok(())
}

/// Taps × positions, row by row of the output: for contiguous images.
fn unfold_planes<T: Multiply>(
    g: &Geometry,
    input: &[T],
    first: usize,
    count: usize,
    columns: &mut [T],
) {
    let [_, channel_stride, h_stride, w_stride] = g.in_strides;
    let width = g.output[1];
    let mut rows = columns.chunks_exact_mut(count);
    for channel in 0..g.group_in() {
        let plane = &input[channel * channel_stride..];
        for kernel_h in 0..g.kernel[0] {
            for kernel_w in 0..g.kernel[1] {
                let Some(row) = rows.next() else { return };
                let valid = g.valid_outputs(1, kernel_w);
                let mut position = first;
                while position < first + count {
                    let (y, x) = (position / width, position % width);
                    let len = (width - x).min(first + count - position);
                    let target = &mut row[position - first..][..len];
                    position += len;
                    let Some(line) = g.input_at(0, y, kernel_h) else {
                        target.fill(T::default());
                        continue;
                    };
                    let low = valid.start.clamp(x, x + len) - x;
                    let high = valid.end.clamp(x + low, x + len) - x;
                    target[..low].fill(T::default());
                    target[high..].fill(T::default());
                    if low < high {
                        let start =
                            (x + low) * g.stride[1] + kernel_w * g.dilation[1] - g.padding[1];
                        let source = &plane[line * h_stride + start * w_stride..];
                        copy_strided(&mut target[low..high], source, g.stride[1] * w_stride);
                    }
                }
            }
        }
    }
}

fn copy_strided<T: Copy>(target: &mut [T], source: &[T], stride: usize) {
    if stride == 1 {
        target.copy_from_slice(&source[..target.len()]);
    } else {
        for (target, source) in target.iter_mut().zip(source.iter().step_by(stride)) {
            *target = *source;
        }
    }
}

/// Positions × taps, pixel by pixel: for channels-last images.
fn unfold_pixels<T: Multiply>(
    g: &Geometry,
    taps: usize,
    input: &[T],
    first: usize,
    count: usize,
    columns: &mut [T],
) {
    let [_, channel_stride, h_stride, w_stride] = g.in_strides;
    let channels = g.group_in();
    for (index, row) in columns.chunks_exact_mut(taps).take(count).enumerate() {
        let (y, x) = ((first + index) / g.output[1], (first + index) % g.output[1]);
        let mut pixels = row.chunks_exact_mut(channels);
        for kernel_h in 0..g.kernel[0] {
            let line = g.input_at(0, y, kernel_h);
            for kernel_w in 0..g.kernel[1] {
                let Some(pixel) = pixels.next() else { return };
                match line.zip(g.input_at(1, x, kernel_w)) {
                    Some((line, column)) => {
                        let source = &input[line * h_stride + column * w_stride..];
                        copy_strided(pixel, source, channel_stride);
                    }
                    None => pixel.fill(T::default()),
                }
            }
        }
    }
}
