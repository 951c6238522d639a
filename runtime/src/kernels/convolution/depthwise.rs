//! Depthwise convolution in float32: too little arithmetic per byte for a
//! matrix product, so each row of the output is a sum of scaled input rows.

use super::gemm::fill_bias;
use super::geometry::Geometry;
use crate::kernels::simd::vectorized;
use alloc::vec::Vec;

/// Runs a convolution with one input channel per group.
pub(super) fn run(g: &Geometry, (input, weight, bias): (&[f32], &[f32], &[f32]), out: &mut [f32]) {
    if out.is_empty() {
        return;
    }
    fill_bias(g, bias, out);
    if g.in_strides[3] == 1 && g.out_strides[3] == 1 {
        vectorized(
            #[inline(always)]
            || planes(g, input, weight, out),
        );
    } else {
        let weight = by_tap(g, weight);
        vectorized(
            #[inline(always)]
            || pixels(g, input, &weight, out),
        );
    }
}

/// Contiguous images: channel by channel, row by row.
#[inline(always)]
fn planes(g: &Geometry, input: &[f32], weight: &[f32], out: &mut [f32]) {
    let per_group = g.group_out();
    let [_, _, weight_h, weight_w] = g.weight_strides;
    let width = g.output[1];
    for n in 0..g.batch {
        for channel in 0..g.out_channels {
            let plane = &input[n * g.in_strides[0] + channel / per_group * g.in_strides[1]..];
            let kernel = &weight[channel * g.weight_strides[0]..];
            let out = &mut out[n * g.out_strides[0] + channel * g.out_strides[1]..];
            for y in 0..g.output[0] {
                let row = &mut out[y * width..][..width];
                for kernel_h in 0..g.kernel[0] {
                    let Some(line) = g.input_at(0, y, kernel_h) else { continue };
                    let line = &plane[line * g.input[1]..][..g.input[1]];
                    for kernel_w in 0..g.kernel[1] {
                        let factor = kernel[kernel_h * weight_h + kernel_w * weight_w];
                        add_scaled(g, row, line, kernel_w, factor);
                    }
                }
            }
        }
    }
}

/// `row[x] += factor * line[x * stride + shift]` wherever that is not padding.
#[inline(always)]
fn add_scaled(g: &Geometry, row: &mut [f32], line: &[f32], kernel_w: usize, factor: f32) {
    let valid = g.valid_outputs(1, kernel_w);
    if valid.is_empty() {
        return;
    }
    let stride = g.stride[1];
    let start = valid.start * stride + kernel_w * g.dilation[1] - g.padding[1];
    let row = &mut row[valid];
    if stride == 1 {
        for (out, value) in row.iter_mut().zip(&line[start..]) {
            *out += factor * value;
        }
    } else {
        for (out, value) in row.iter_mut().zip(line[start..].iter().step_by(stride)) {
            *out += factor * value;
        }
    }
}

/// The weights with output channels innermost.
fn by_tap(g: &Geometry, weight: &[f32]) -> Vec<f32> {
    let [out_stride, _, weight_h, weight_w] = g.weight_strides;
    let mut taps = Vec::with_capacity(g.kernel[0] * g.kernel[1] * g.out_channels);
    for kernel_h in 0..g.kernel[0] {
        for kernel_w in 0..g.kernel[1] {
            let place = kernel_h * weight_h + kernel_w * weight_w;
            taps.extend((0..g.out_channels).map(|c| weight[c * out_stride + place]));
        }
    }
    taps
}

/// Channels-last images: pixel by pixel, all channels at once.
#[inline(always)]
fn pixels(g: &Geometry, input: &[f32], weight: &[f32], out: &mut [f32]) {
    let per_group = g.group_out();
    let [out_batch, out_channel, _, out_step] = g.out_strides;
    let [in_batch, in_channel, in_h, in_w] = g.in_strides;
    let dense = in_channel == 1 && out_channel == 1 && per_group == 1;
    for n in 0..g.batch {
        for position in 0..g.positions() {
            let (y, x) = (position / g.output[1], position % g.output[1]);
            let target = &mut out[n * out_batch + position * out_step..];
            for kernel_h in 0..g.kernel[0] {
                let Some(line) = g.input_at(0, y, kernel_h) else { continue };
                for kernel_w in 0..g.kernel[1] {
                    let Some(column) = g.input_at(1, x, kernel_w) else { continue };
                    let source = &input[n * in_batch + line * in_h + column * in_w..];
                    let tap = kernel_h * g.kernel[1] + kernel_w;
                    let factors = &weight[tap * g.out_channels..][..g.out_channels];
                    if dense {
                        for ((out, value), factor) in target.iter_mut().zip(source).zip(factors) {
                            *out += factor * value;
                        }
                    } else {
                        for (channel, factor) in factors.iter().enumerate() {
                            target[channel * out_channel] +=
                                factor * source[channel / per_group * in_channel];
                        }
                    }
                }
            }
        }
    }
}
