//! Convolutions in which each channel has a filter of its own.

mod integers;

use super::convolution::Geometry;
use super::linear::Bias;
use super::sums::Requantization;
use crate::buffer::Buffer;
use crate::error::{Error, Result, ensure};
use crate::tensor::{Data, Scale, Tensor};
use crate::unroll::each_row;
use pulp::Simd;
use rayon::prelude::*;
use std::sync::OnceLock;

/// A number per tap and channel, with a bias per channel.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    pub taps: Taps,
    pub channels: usize,
    pub bias: Bias,
    pub scale: Scale,
    /// Made by the first run.
    pub requantization: OnceLock<Requantization>,
}

/// `[tap][channel]`
#[derive(Clone, Debug)]
pub(crate) enum Taps {
    Floats(Buffer<f32>),
    /// Less their zero point, with zeros behind each tap to a whole number of vectors.
    Integers(Vec<i32>),
}

impl Taps {
    /// Of raised integers.
    pub fn integers(data: &[u8], channels: usize, zero: i32) -> Self {
        let mut taps = Vec::new();
        for tap in data.chunks(channels.max(1)) {
            taps.extend(tap.iter().map(|q| i32::from(*q) - zero));
            taps.resize(taps.len().next_multiple_of(integers::MOST_LANES), 0);
        }
        Taps::Integers(taps)
    }

    /// Numbers of `count` taps.
    fn expected(&self, count: usize, channels: usize) -> usize {
        match self {
            Taps::Floats(_) => count.saturating_mul(channels),
            Taps::Integers(_) => {
                count.saturating_mul(channels.next_multiple_of(integers::MOST_LANES))
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Taps::Floats(taps) => taps.len(),
            Taps::Integers(taps) => taps.len(),
        }
    }
}

impl Weights {
    pub fn new(taps: Taps, channels: usize, bias: Bias, scale: Scale) -> Self {
        Weights { taps, channels, bias, scale, requantization: OnceLock::new() }
    }
}

/// Pixels that are worth a thread, times taps and channels.
const WORTH_A_THREAD: usize = 1 << 16;

/// Runs the convolution into `out`, whose shape is set.
pub(crate) fn run(
    weights: &Weights,
    geometry: &Geometry,
    input: &Tensor,
    clamp: (f32, f32),
    out: &mut Tensor,
    threads: usize,
) -> Result {
    let channels = weights.channels;
    let taps = geometry.kernel[0].saturating_mul(geometry.kernel[1]);
    ensure!(
        geometry.input[2] == channels
            && weights.taps.len() == weights.taps.expected(taps, channels),
        "{} channels for a filter of {channels}",
        geometry.input[2]
    );
    let size = geometry.pixels()?.saturating_mul(channels);
    if channels == 0 || size == 0 {
        return Ok(());
    }
    match (&weights.taps, &input.data) {
        (Taps::Floats(taps), Data::F32(data)) => {
            let bias = weights.bias.floats()?;
            let Data::F32(out) = &mut out.data else { return Err(mixed()) };
            out.set_len(size);
            Work { taps, channels, geometry, input: data, bias, clamp }.all(out, threads);
        }
        (Taps::Integers(taps), Data::Small(data)) => {
            let requantization = integers::requantization(weights, taps, input, clamp, out)?;
            let Data::Small(out) = &mut out.data else { return Err(mixed()) };
            out.set_len(size);
            let work = integers::Work { taps, channels, geometry, input: data, requantization };
            work.all(out, threads);
        }
        _ => return Err(mixed()),
    }
    Ok(())
}

fn mixed() -> Error {
    Error::new("a mix of float32 and integers")
}

struct Work<'a> {
    taps: &'a [f32],
    channels: usize,
    geometry: &'a Geometry,
    input: &'a [f32],
    bias: &'a [f32],
    clamp: (f32, f32),
}

impl Work<'_> {
    /// All pixels, in lines of the output.
    fn all(&self, out: &mut [f32], threads: usize) {
        let line = self.geometry.out[1] * self.channels;
        let threads = threads.min(out.len() * self.geometry.kernel[0] / WORTH_A_THREAD).max(1);
        let arch = pulp::Arch::new();
        if threads == 1 {
            return arch.dispatch(Lines { work: self, first: 0, out });
        }
        let share = (out.len() / line).div_ceil(threads).max(1);
        out.par_chunks_mut(share * line).enumerate().for_each(|(index, out)| {
            arch.dispatch(Lines { work: self, first: index * share, out });
        });
    }
}

/// Some lines of the output.
struct Lines<'a, 'w> {
    work: &'a Work<'w>,
    first: usize,
    out: &'a mut [f32],
}

/// Pixels of a line that are computed together.
const PIXELS: usize = 4;

impl pulp::WithSimd for Lines<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Work { taps: weights, channels, geometry, input, bias, clamp } = *self.work;
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let width = geometry.out[1];
        let (inner, step) = (geometry.inner_columns(), geometry.stride[1] * channels);
        let mut under: Vec<(usize, usize)> = Vec::with_capacity(taps);
        for (line, out) in self.out.chunks_exact_mut(width * channels).enumerate() {
            let mut column = 0;
            while column < width {
                // As under the pixel before, a step further.
                if inner.contains(&column) {
                    under.iter_mut().for_each(|(place, _)| *place += step);
                } else {
                    under.clear();
                    let mut tap = 0;
                    geometry.under((self.first + line) * width + column, |place| {
                        under.extend(place.map(|place| (place, tap)));
                        tap += channels;
                    });
                }
                let pixels = Pixels { input, step, taps: weights, under: &under, bias, clamp };
                let out = &mut out[column * channels..];
                let together = inner.contains(&(column + 1)) && column + PIXELS <= inner.end;
                if together {
                    pixels.all::<S, PIXELS>(simd, channels, out);
                    let further = (PIXELS - 1) * step;
                    under.iter_mut().for_each(|(place, _)| *place += further);
                    column += PIXELS;
                } else {
                    pixels.all::<S, 1>(simd, channels, out);
                    column += 1;
                }
            }
        }
    }
}

/// Neighbours in a line of the output, with what lies under the first one's taps.
struct Pixels<'a> {
    input: &'a [f32],
    /// From what is under a pixel to what is under the next.
    step: usize,
    taps: &'a [f32],
    /// Where the pixel and the tap's weights begin.
    under: &'a [(usize, usize)],
    bias: &'a [f32],
    clamp: (f32, f32),
}

impl Pixels<'_> {
    /// All channels of `P` pixels.
    #[inline(always)]
    fn all<S: Simd, const P: usize>(&self, simd: S, channels: usize, out: &mut [f32]) {
        let mut channel = 0;
        while channel + 2 * S::F32_LANES <= channels {
            self.vectors::<S, P, 2>(simd, (channel, channels), out);
            channel += 2 * S::F32_LANES;
        }
        if channel + S::F32_LANES <= channels {
            self.vectors::<S, P, 1>(simd, (channel, channels), out);
            channel += S::F32_LANES;
        }
        if channel < channels {
            self.rest::<S, P>(simd, (channel, channels), out);
        }
    }

    /// `V` vectors of channels of `P` pixels.
    #[inline(always)]
    fn vectors<S: Simd, const P: usize, const V: usize>(
        &self,
        simd: S,
        (channel, channels): (usize, usize),
        out: &mut [f32],
    ) {
        let size = V * S::F32_LANES;
        let mut sums = [[simd.splat_f32s(0.0); V]; P];
        if let Some(bias) = self.bias.get(channel..channel + size) {
            sums.iter_mut().for_each(|sums| sums.copy_from_slice(S::as_simd_f32s(bias).0));
        }
        for (place, tap) in self.under {
            let weights = S::as_simd_f32s(&self.taps[tap + channel..][..size]).0;
            let input = &self.input[place + channel..][..(P - 1) * self.step + size];
            each_row!(P, pixel => {
                let input = S::as_simd_f32s(&input[pixel * self.step..][..size]).0;
                for ((sum, input), weight) in sums[pixel].iter_mut().zip(input).zip(weights) {
                    *sum = simd.mul_add_f32s(*input, *weight, *sum);
                }
            });
        }
        let (low, high) = (simd.splat_f32s(self.clamp.0), simd.splat_f32s(self.clamp.1));
        each_row!(P, pixel => {
            let out = &mut out[pixel * channels + channel..][..size];
            for (out, sum) in S::as_mut_simd_f32s(out).0.iter_mut().zip(sums[pixel]) {
                *out = simd.min_f32s(simd.max_f32s(sum, low), high);
            }
        });
    }

    /// The channels that make no vector.
    #[inline(always)]
    fn rest<S: Simd, const P: usize>(
        &self,
        simd: S,
        (channel, channels): (usize, usize),
        out: &mut [f32],
    ) {
        let size = channels - channel;
        let bias = self.bias.get(channel..channels).unwrap_or_default();
        let mut sums = [simd.partial_load_f32s(bias); P];
        for (place, tap) in self.under {
            let weights = simd.partial_load_f32s(&self.taps[tap + channel..][..size]);
            for (pixel, sum) in sums.iter_mut().enumerate() {
                let input = &self.input[place + pixel * self.step + channel..][..size];
                *sum = simd.mul_add_f32s(simd.partial_load_f32s(input), weights, *sum);
            }
        }
        let (low, high) = (simd.splat_f32s(self.clamp.0), simd.splat_f32s(self.clamp.1));
        for (pixel, sum) in sums.into_iter().enumerate() {
            let out = &mut out[pixel * channels + channel..][..size];
            simd.partial_store_f32s(out, simd.min_f32s(simd.max_f32s(sum, low), high));
        }
    }
}
