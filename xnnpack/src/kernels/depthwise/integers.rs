//! The same of bytes.
//!
//! Sums have 32 bits. The zero point of the input is taken off at the end, so that
//! pixels outside of the image are as many zero points. Taps have zeros behind them
//! to a whole number of vectors: what is read there does not matter.

use super::{WORTH_A_THREAD, Weights};
use crate::dot::{Dot, Task, dispatch};
use crate::error::Result;
use crate::kernels::convolution::Geometry;
use crate::kernels::linear::requantization as requantization_of;
use crate::kernels::sums::Requantization;
use crate::product::OUTSIDE;
use crate::tensor::Tensor;
use rayon::prelude::*;

/// Lanes of the widest vectors.
pub(super) const MOST_LANES: usize = 16;

/// How sums become numbers of the output.
pub(super) fn requantization<'a>(
    weights: &'a Weights,
    taps: &[i32],
    input: &Tensor,
    clamp: (f32, f32),
    out: &Tensor,
) -> Result<&'a Requantization> {
    if let Some(made) = weights.requantization.get() {
        return Ok(made);
    }
    let channels = weights.channels;
    let mut totals = vec![0i32; channels.next_multiple_of(MOST_LANES)];
    for tap in taps.chunks_exact(totals.len()) {
        totals.iter_mut().zip(tap).for_each(|(total, tap)| *total = total.wrapping_add(*tap));
    }
    let bias = weights.bias.integers()?;
    let made =
        requantization_of((input, out), (&weights.scale, bias), (0, channels), &totals, clamp)?;
    Ok(weights.requantization.get_or_init(|| made))
}

pub(super) struct Work<'a> {
    pub taps: &'a [i32],
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
            return dispatch(Lines { work: self, first: 0, out });
        }
        out.par_chunks_mut(share * line).enumerate().for_each(|(index, out)| {
            dispatch(Lines { work: self, first: index * share, out });
        });
    }
}

/// Some lines of the output.
struct Lines<'a, 'w> {
    work: &'a Work<'w>,
    first: usize,
    out: &'a mut [u8],
}

impl Task for Lines<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<D: Dot>(self, dot: D) {
        let Work { channels, geometry, requantization, .. } = *self.work;
        let (width, inner) = (geometry.out[1], geometry.inner_columns());
        let step = geometry.stride[1] * channels;
        let outside = vec![requantization.input as u8; channels + 2 * MOST_LANES];
        let mut under: Vec<usize> = Vec::new();
        let further = |under: &mut [usize], by: usize| {
            under.iter_mut().filter(|at| **at != OUTSIDE).for_each(|at| *at += by);
        };
        for (line, out) in self.out.chunks_exact_mut(width * channels).enumerate() {
            let mut column = 0;
            while column < width {
                // As under the pixel before, a step further.
                if inner.contains(&column) {
                    further(&mut under, step);
                } else {
                    under.clear();
                    let index = (self.first + line) * width + column;
                    geometry.under(index, |place| under.push(place.unwrap_or(OUTSIDE)));
                }
                let pixels = Pixels { work: self.work, under: &under, outside: &outside, step };
                let out = &mut out[column * channels..];
                if inner.contains(&(column + 1)) && column + PIXELS <= inner.end {
                    pixels.all::<D, PIXELS>(dot, out);
                    further(&mut under, (PIXELS - 1) * step);
                    column += PIXELS;
                } else {
                    pixels.all::<D, 1>(dot, out);
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
    fn all<D: Dot, const P: usize>(&self, dot: D, out: &mut [u8]) {
        let channels = self.work.channels;
        let mut channel = 0;
        while channel + D::LANES < channels {
            self.some::<D, P, 2>(dot, channel, out);
            channel += 2 * D::LANES;
        }
        if channel < channels {
            self.some::<D, P, 1>(dot, channel, out);
        }
    }

    /// `V` vectors of channels of `P` pixels.
    #[inline(always)]
    fn some<D: Dot, const P: usize, const V: usize>(&self, dot: D, channel: usize, out: &mut [u8]) {
        let Work { taps, channels, input, requantization, .. } = *self.work;
        let padded = channels.next_multiple_of(MOST_LANES);
        let mut sums = [[dot.zero(); V]; P];
        for (at, taps) in self.under.iter().zip(taps.chunks_exact(padded)) {
            let taps = &taps[channel..];
            let (all, step) = match *at {
                OUTSIDE => (&self.outside[channel..], 0),
                at => (&input[at + channel..], self.step),
            };
            if let Some(bytes) = all.get(..(P - 1) * step + V * D::LANES) {
                sums = add(dot, sums, (bytes, step), taps);
            } else {
                // The end of the input: neighbours one vector after the other.
                let size = V * D::LANES;
                let mut filled = [[0; 2 * MOST_LANES]; P];
                for (pixel, filled) in filled.iter_mut().enumerate() {
                    let bytes = &all[pixel * step..];
                    let count = bytes.len().min(size);
                    filled[..count].copy_from_slice(&bytes[..count]);
                }
                sums = add(dot, sums, (filled.as_flattened(), 2 * MOST_LANES), taps);
            }
        }
        for (pixel, sums) in sums.iter().enumerate() {
            for (index, sums) in sums.iter().enumerate() {
                let channel = channel + index * D::LANES;
                let out = &mut out[pixel * channels + channel..];
                let out = &mut out[..D::LANES.min(channels - channel)];
                if const { D::LANES == 16 } {
                    store::<D, 16>(requantization, channel, sums, out);
                } else {
                    store::<D, 8>(requantization, channel, sums, out);
                }
            }
        }
    }
}

/// Adds a tap of `P` pixels, whose bytes are `step` apart. The sums come and go by
/// value, so that they stay in registers.
#[inline(always)]
fn add<D: Dot, const P: usize, const V: usize>(
    dot: D,
    mut sums: [[D::Sums; V]; P],
    (bytes, step): (&[u8], usize),
    taps: &[i32],
) -> [[D::Sums; V]; P] {
    let taps = &taps[..V * D::LANES];
    for (pixel, sums) in sums.iter_mut().enumerate() {
        let bytes = &bytes[pixel * step..][..V * D::LANES];
        for (vector, sum) in sums.iter_mut().enumerate() {
            let at = vector * D::LANES;
            *sum = dot.add_products(*sum, &bytes[at..], &taps[at..]);
        }
    }
    sums
}

/// Stores the numbers of `N` channels, or as many as `out` has.
#[inline(always)]
fn store<D: Dot, const N: usize>(
    requantization: &Requantization,
    channel: usize,
    sums: &D::Sums,
    out: &mut [u8],
) {
    let sums: &[i32] = bytemuck::cast_slice(std::slice::from_ref(sums));
    let sums: &[i32; N] = sums.first_chunk().expect("as many lanes");
    let bytes = requantization.columns::<N>(channel).numbers(sums);
    // Copies of a length that is known are no calls.
    match out.len() {
        len if len == N => out.copy_from_slice(&bytes),
        8 => out.copy_from_slice(&bytes[..8]),
        len => out.iter_mut().zip(&bytes[..len]).for_each(|(out, byte)| *out = *byte),
    }
}
