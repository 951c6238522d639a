//! Convolutions in which each channel has a filter of its own.

use super::convolution::Geometry;
use super::linear::{Bias, centered, requantization};
use super::sums::Requantization;
use crate::error::{Error, Result, ensure};
use crate::tensor::{Data, Scale, Tensor};
use pulp::Simd;
use rayon::prelude::*;

/// A number per tap and channel, with a bias per channel.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    /// `[tap][channel]`
    pub taps: Vec<f32>,
    pub channels: usize,
    pub bias: Bias,
    pub scale: Scale,
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
    (scratch, threads): (&mut Vec<f32>, usize),
) -> Result {
    let channels = weights.channels;
    let taps = geometry.kernel[0].saturating_mul(geometry.kernel[1]);
    ensure!(
        geometry.input[2] == channels && weights.taps.len() == taps.saturating_mul(channels),
        "{} channels for a filter of {channels}",
        geometry.input[2]
    );
    let size = geometry.pixels()?.saturating_mul(channels);
    if channels == 0 || size == 0 {
        return Ok(());
    }
    match (&input.data, &out.data) {
        (Data::F32(data), Data::F32(_)) => {
            let bias = weights.bias.floats()?;
            let Data::F32(out) = &mut out.data else { return Ok(()) };
            out.resize(size, 0.0);
            let work = Work { weights, geometry, input: data, bias, clamp };
            work.all(out, threads);
        }
        (Data::Small(_), Data::Small(_)) => {
            ensure!(taps <= 512, "a kernel of {taps} taps");
            let requantization = requantization(input, &weights.scale, channels, out, clamp)?;
            let bias = weights.bias.integers()?;
            centered(input, scratch)?;
            let mut sums = vec![0.0; size];
            let clamp = (f32::NEG_INFINITY, f32::INFINITY);
            Work { weights, geometry, input: scratch, bias: &[], clamp }.all(&mut sums, threads);
            let Data::Small(out) = &mut out.data else { return Ok(()) };
            out.resize(size, 0);
            finish(&sums, bias, &requantization, channels, out);
        }
        _ => return Err(Error::new("a mix of float32 and integers")),
    }
    Ok(())
}

fn finish(
    sums: &[f32],
    bias: &[i32],
    requantization: &Requantization,
    channels: usize,
    out: &mut [i16],
) {
    for (sums, out) in sums.chunks(channels).zip(out.chunks_mut(channels)) {
        for (channel, (out, sum)) in out.iter_mut().zip(sums).enumerate() {
            let bias = bias.get(channel).copied().unwrap_or(0);
            *out = requantization.apply(channel, (*sum as i32).wrapping_add(bias));
        }
    }
}

struct Work<'a> {
    weights: &'a Weights,
    geometry: &'a Geometry,
    input: &'a [f32],
    bias: &'a [f32],
    clamp: (f32, f32),
}

impl Work<'_> {
    /// All pixels, in lines of the output.
    fn all(&self, out: &mut [f32], threads: usize) {
        let line = self.geometry.out[1] * self.weights.channels;
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

impl pulp::WithSimd for Lines<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Work { weights, geometry, input, bias, clamp } = *self.work;
        let channels = weights.channels;
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let first = self.first * geometry.out[1];
        let (inner, step) = (geometry.inner_columns(), geometry.stride[1] * channels);
        let mut under: Vec<(usize, usize)> = Vec::with_capacity(taps);
        for (index, out) in self.out.chunks_exact_mut(channels).enumerate() {
            let column = (first + index) % geometry.out[1];
            if inner.contains(&column) {
                // As under the pixel before, a step further.
                under.iter_mut().for_each(|(place, _)| *place += step);
            } else {
                under.clear();
                let mut tap = 0;
                geometry.under(first + index, |place| {
                    under.extend(place.map(|place| (place, tap)));
                    tap += channels;
                });
            }
            let pixel = Pixel { input, taps: &weights.taps, under: &under, bias, clamp };
            let mut channel = 0;
            while channel + 4 * S::F32_LANES <= channels {
                pixel.vectors::<S, 4>(simd, channel, out);
                channel += 4 * S::F32_LANES;
            }
            while channel + S::F32_LANES <= channels {
                pixel.vectors::<S, 1>(simd, channel, out);
                channel += S::F32_LANES;
            }
            pixel.rest(channel, out);
        }
    }
}

/// A pixel of the output, with what lies under its taps.
struct Pixel<'a> {
    input: &'a [f32],
    taps: &'a [f32],
    /// Where the pixel and the tap's weights begin.
    under: &'a [(usize, usize)],
    bias: &'a [f32],
    clamp: (f32, f32),
}

impl Pixel<'_> {
    /// `V` vectors of channels.
    #[inline(always)]
    fn vectors<S: Simd, const V: usize>(&self, simd: S, channel: usize, out: &mut [f32]) {
        let range = channel..channel + V * S::F32_LANES;
        let mut sums = [simd.splat_f32s(0.0); V];
        if let Some(bias) = self.bias.get(range.clone()) {
            sums.copy_from_slice(S::as_simd_f32s(bias).0);
        }
        for (place, tap) in self.under {
            let pixel = S::as_simd_f32s(&self.input[place + channel..][..V * S::F32_LANES]).0;
            let weights = S::as_simd_f32s(&self.taps[tap + channel..][..V * S::F32_LANES]).0;
            for ((sum, pixel), weight) in sums.iter_mut().zip(pixel).zip(weights) {
                *sum = simd.mul_add_f32s(*pixel, *weight, *sum);
            }
        }
        let (low, high) = (simd.splat_f32s(self.clamp.0), simd.splat_f32s(self.clamp.1));
        for (out, sum) in S::as_mut_simd_f32s(&mut out[range]).0.iter_mut().zip(sums) {
            *out = simd.min_f32s(simd.max_f32s(sum, low), high);
        }
    }

    /// The channels that make no vector.
    #[inline(always)]
    fn rest(&self, channel: usize, out: &mut [f32]) {
        for (channel, out) in out.iter_mut().enumerate().skip(channel) {
            let mut sum = self.bias.get(channel).copied().unwrap_or(0.0);
            for (place, tap) in self.under {
                sum += self.input[place + channel] * self.taps[tap + channel];
            }
            *out = sum.max(self.clamp.0).min(self.clamp.1);
        }
    }
}
