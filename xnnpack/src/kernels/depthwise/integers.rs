//! The same of bytes.
//!
//! A product of a byte and a weight has 16 bits, and sums have 32. The zero point
//! of the input is taken off at the end, so that pixels outside of the image are
//! as many zero points.

use super::{WORTH_A_THREAD, Weights};
use crate::error::Result;
use crate::kernels::convolution::Geometry;
use crate::kernels::linear::requantization as requantization_of;
use crate::kernels::sums::Requantization;
use crate::product::{OUTSIDE, vectors};
use crate::tensor::Tensor;
use rayon::prelude::*;

/// How sums become numbers of the output.
pub(super) fn requantization<'a>(
    weights: &'a Weights,
    taps: &[i16],
    input: &Tensor,
    clamp: (f32, f32),
    out: &Tensor,
) -> Result<&'a Requantization> {
    if let Some(made) = weights.requantization.get() {
        return Ok(made);
    }
    let channels = weights.channels;
    let mut totals = vec![0i32; channels];
    for tap in taps.chunks_exact(channels) {
        totals.iter_mut().zip(tap).for_each(|(total, tap)| *total += i32::from(*tap));
    }
    let bias = weights.bias.integers()?;
    let made =
        requantization_of((input, out), (&weights.scale, bias), (0, channels), &totals, clamp)?;
    Ok(weights.requantization.get_or_init(|| made))
}

pub(super) struct Work<'a> {
    pub taps: &'a [i16],
    pub channels: usize,
    pub geometry: &'a Geometry,
    pub input: &'a [u8],
    pub requantization: &'a Requantization,
}

/// Pixels of a line that are computed together.
const PIXELS: usize = 4;

impl Work<'_> {
    /// All pixels, in lines of the output.
    pub fn all(&self, out: &mut [u8], threads: usize) {
        let line = self.geometry.out[1] * self.channels;
        let threads = threads.min(out.len() * self.geometry.kernel[0] / WORTH_A_THREAD).max(1);
        let share = (out.len() / line).div_ceil(threads).max(1);
        if threads == 1 {
            return self.lines(0, out);
        }
        out.par_chunks_mut(share * line)
            .enumerate()
            .for_each(|(index, out)| self.lines(index * share, out));
    }

    /// Lines from `first` on.
    fn lines(&self, first: usize, out: &mut [u8]) {
        // Weights less a zero point have a bit more, and products do not fit 16 bits.
        let narrow = self.taps.iter().all(|tap| (-128..=128).contains(tap));
        vectors(
            #[inline(always)]
            || {
                if narrow {
                    self.each_line(first, out, |byte, tap| {
                        i32::from((i16::from(byte)).wrapping_mul(tap))
                    });
                } else {
                    self.each_line(first, out, |byte, tap| i32::from(byte) * i32::from(tap));
                }
            },
        );
    }

    #[inline(always)]
    fn each_line(&self, first: usize, out: &mut [u8], product: impl Fn(u8, i16) -> i32 + Copy) {
        let Work { channels, geometry, .. } = *self;
        let (width, inner) = (geometry.out[1], geometry.inner_columns());
        let step = geometry.stride[1] * channels;
        let outside = vec![self.requantization.input as u8; channels];
        let mut under: Vec<usize> = Vec::new();
        for (line, out) in out.chunks_exact_mut(width * channels).enumerate() {
            let mut column = 0;
            while column < width {
                // As under the pixel before, a step further.
                if inner.contains(&column) {
                    let inside = under.iter_mut().filter(|place| **place != OUTSIDE);
                    inside.for_each(|place| *place += step);
                } else {
                    under.clear();
                    let index = (first + line) * width + column;
                    geometry.under(index, |place| under.push(place.unwrap_or(OUTSIDE)));
                }
                let pixels = Pixels { work: self, under: &under, outside: &outside, step };
                let out = &mut out[column * channels..];
                if inner.contains(&(column + 1)) && column + PIXELS <= inner.end {
                    pixels.all::<PIXELS>(out, product);
                    let inside = under.iter_mut().filter(|place| **place != OUTSIDE);
                    inside.for_each(|place| *place += (PIXELS - 1) * step);
                    column += PIXELS;
                } else {
                    pixels.all::<1>(out, product);
                    column += 1;
                }
            }
        }
    }
}

/// Neighbours in a line of the output.
struct Pixels<'a> {
    work: &'a Work<'a>,
    /// What lies under the taps of the first one.
    under: &'a [usize],
    /// What lies outside of the image.
    outside: &'a [u8],
    /// From what is under a pixel to what is under the next.
    step: usize,
}

impl Pixels<'_> {
    /// All channels of `P` pixels.
    #[inline(always)]
    fn all<const P: usize>(&self, out: &mut [u8], product: impl Fn(u8, i16) -> i32 + Copy) {
        let channels = self.work.channels;
        let mut channel = 0;
        while channel + 32 <= channels {
            self.some::<P, 32>(channel, out, product);
            channel += 32;
        }
        if channel + 16 <= channels {
            self.some::<P, 16>(channel, out, product);
            channel += 16;
        }
        if channel + 8 <= channels {
            self.some::<P, 8>(channel, out, product);
            channel += 8;
        }
        while channel < channels {
            self.some::<P, 1>(channel, out, product);
            channel += 1;
        }
    }

    /// `C` channels of `P` pixels.
    #[inline(always)]
    fn some<const P: usize, const C: usize>(
        &self,
        channel: usize,
        out: &mut [u8],
        product: impl Fn(u8, i16) -> i32,
    ) {
        let Work { taps, channels, input, requantization, .. } = *self.work;
        let mut sums = [[0i32; C]; P];
        for (place, tap) in self.under.iter().zip(taps.chunks_exact(channels)) {
            let tap: &[i16; C] = tap[channel..].first_chunk().expect("as many channels");
            for (pixel, sums) in sums.iter_mut().enumerate() {
                let bytes = match *place {
                    OUTSIDE => &self.outside[channel..],
                    place => &input[place + pixel * self.step + channel..],
                };
                let bytes: &[u8; C] = bytes.first_chunk().expect("as many channels");
                for ((sum, byte), tap) in sums.iter_mut().zip(bytes).zip(tap) {
                    *sum = sum.wrapping_add(product(*byte, *tap));
                }
            }
        }
        for (pixel, sums) in sums.iter().enumerate() {
            let out = &mut out[pixel * channels + channel..][..C];
            requantization.all(channel, sums, out);
        }
    }
}
