//! Depthwise 3×3 convolution of contiguous float32 planes, padded by one, with
//! a stride of 1 or 2: the usual one, so it reads planes as they lie.
//!
//! A strip is as wide as a vector and goes down the plane. Of each row it needs
//! the elements themselves and those shifted by one to either side, and keeps
//! them for the next rows. With a stride of 2, results of odd columns are
//! computed and dropped: that is cheaper than to split the rows.

use super::geometry::Geometry;
use crate::kernels::means::Rounding;
use crate::kernels::panel::{After, AfterVectors};
use crate::kernels::simd::{Step, with_step};
use pulp::Simd;

/// Whether this way suits the shapes.
pub(super) fn suits(g: &Geometry) -> bool {
    let [out_stride, _, h_stride, w_stride] = g.weight_strides;
    let steps = g.stride == [1, 1] || (g.stride == [2, 2] && g.input[1].is_multiple_of(2));
    let window = g.kernel == [3, 3] && g.padding == [1, 1] && g.dilation == [1, 1];
    let plain = g.in_strides[3] == 1 && [out_stride, h_stride, w_stride] == [9, 3, 1];
    window && steps && plain && g.group_out() == 1 && g.input.iter().all(|size| *size > 0)
}

/// Convolves as many planes as `out` holds; all slices begin with the first of them.
pub(super) fn run(
    g: &Geometry,
    (input, weight, bias): (&[f32], &[f32], Option<&[f32]>),
    after: After<'_>,
    out: &mut [f32],
    rounding: Rounding,
) {
    pulp::Arch::new().dispatch(Planes { g, input, weight, bias, after, out, rounding });
}

struct Planes<'a> {
    g: &'a Geometry,
    input: &'a [f32],
    weight: &'a [f32],
    bias: Option<&'a [f32]>,
    after: After<'a>,
    out: &'a mut [f32],
    rounding: Rounding,
}

impl pulp::WithSimd for Planes<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let [height, width] = self.g.input;
        let count = self.out.len() / self.g.positions();
        for (channel, kernel) in self.weight.as_chunks::<9>().0[..count].iter().enumerate() {
            // To the end of all planes, as vectors may reach into the next one.
            let mut plane = Plane::<S> {
                height,
                width,
                kernel: kernel.map(|factor| simd.splat_f32s(factor)),
                bias: self.bias.map(|bias| simd.splat_f32s(bias[channel])),
                after: self.after.vectors(simd, channel),
                input: &self.input[channel * height * width..],
                output: self.g.output,
                out: &mut self.out[channel * self.g.positions()..],
            };
            with_step::<S, _>(
                self.rounding,
                #[inline(always)]
                |step| match self.g.stride {
                    [1, 1] => plane.strips::<1>(simd, step),
                    _ => plane.strips::<2>(simd, step),
                },
            );
        }
    }
}

/// Which neighbours the strip has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// It is the whole plane, and narrower than a vector.
    Narrow,
    /// It is the whole plane.
    Only,
    First,
    Inner,
    Last,
}

/// The lanes of shifted rows that lie in the plane.
#[derive(Clone, Copy)]
struct Edges<S: Simd> {
    first: S::m32s,
    last: S::m32s,
}

struct Plane<'a, S: Simd> {
    height: usize,
    width: usize,
    kernel: [S::f32s; 9],
    bias: Option<S::f32s>,
    after: AfterVectors<S>,
    input: &'a [f32],
    output: [usize; 2],
    out: &'a mut [f32],
}

impl<S: Simd> Plane<'_, S> {
    /// All strips; the last one overlaps the one before.
    #[inline(always)]
    fn strips<const STRIDE: usize>(&mut self, simd: S, step: Step) {
        let (width, lanes) = (self.width, S::F32_LANES);
        if width <= lanes {
            let side = if width < lanes { Side::Narrow } else { Side::Only };
            return self.strip::<STRIDE>(simd, step, 0, side);
        }
        self.strip::<STRIDE>(simd, step, 0, Side::First);
        for left in (lanes..width - lanes).step_by(lanes) {
            self.strip::<STRIDE>(simd, step, left, Side::Inner);
        }
        self.strip::<STRIDE>(simd, step, width - lanes, Side::Last);
    }

    /// The strip from column `left` of the input on.
    #[inline(always)]
    fn strip<const STRIDE: usize>(&mut self, simd: S, step: Step, left: usize, side: Side) {
        let mut above = self.row(simd, None, left, side);
        let mut row = self.row(simd, Some(0), left, side);
        // Rows that have one before and one behind are read without a question.
        let inner = match side {
            Side::Narrow => 0,
            _ => ((self.height - 1).saturating_sub(STRIDE) / STRIDE).min(self.output[0]),
        };
        let edges = Edges {
            first: simd.mask_between_m32s(1, S::F32_LANES as u32).mask(),
            last: simd.mask_between_m32s(0, S::F32_LANES as u32 - 1).mask(),
        };
        for y in 0..inner {
            let below = self.inner_row(simd, y * STRIDE + 1, left, side, edges);
            self.sum::<STRIDE>(simd, step, (y, left), [above, row, below]);
            (above, row) = match STRIDE {
                1 => (row, below),
                _ => (below, self.inner_row(simd, y * STRIDE + 2, left, side, edges)),
            };
        }
        for y in inner..self.output[0] {
            let below = self.row(simd, Some(y * STRIDE + 1), left, side);
            self.sum::<STRIDE>(simd, step, (y, left), [above, row, below]);
            (above, row) = match STRIDE {
                1 => (row, below),
                _ => (below, self.row(simd, Some(y * STRIDE + 2), left, side)),
            };
        }
    }

    /// The results of a strip in row `y`, from the three rows that they meet.
    #[inline(always)]
    fn sum<const STRIDE: usize>(
        &mut self,
        simd: S,
        step: Step,
        (y, left): (usize, usize),
        rows: [[S::f32s; 3]; 3],
    ) {
        let mut sum = simd.splat_f32s(0.0);
        for (values, factors) in rows.iter().zip(self.kernel.as_chunks::<3>().0) {
            for (value, factor) in values.iter().zip(factors) {
                sum = step.add_vectors(simd, sum, *factor, *value);
            }
        }
        if let Some(bias) = self.bias {
            sum = simd.add_f32s(sum, bias);
        }
        sum = self.after.apply(simd, step, sum);
        self.store::<STRIDE>(simd, y * self.output[1] + left / STRIDE, sum);
    }

    /// [`Plane::row`] of a row that is neither the first nor the last. What lies
    /// beyond its ends are elements of its neighbours.
    #[inline(always)]
    fn inner_row(
        &self,
        simd: S,
        y: usize,
        left: usize,
        side: Side,
        edges: Edges<S>,
    ) -> [S::f32s; 3] {
        let lanes = S::F32_LANES;
        let line = &self.input[y * self.width + left - 1..][..lanes + 2];
        let at = |shift: usize| S::as_simd_f32s(&line[shift..shift + lanes]).0[0];
        let zero = simd.splat_f32s(0.0);
        let before = match side {
            Side::First | Side::Only => simd.select_f32s(edges.first, at(0), zero),
            _ => at(0),
        };
        let after = match side {
            Side::Last | Side::Only => simd.select_f32s(edges.last, at(2), zero),
            _ => at(2),
        };
        [before, at(1), after]
    }

    /// Elements of a row to the left of the strip's, the strip's, and to the
    /// right; zeros beyond the plane.
    #[inline(always)]
    fn row(&self, simd: S, y: Option<usize>, left: usize, side: Side) -> [S::f32s; 3] {
        let zero = simd.splat_f32s(0.0);
        let Some(y) = y.filter(|y| *y < self.height) else { return [zero; 3] };
        let lanes = S::F32_LANES as u32;
        let at = y * self.width + left;
        let values = self.load(simd, at);
        if side == Side::Narrow {
            // What comes after the row is zero, so that it can be shifted in.
            let values = keep(simd, 0, self.width as u32, values);
            return [simd.rotate_right_f32s(values, 1), values, simd.rotate_left_f32s(values, 1)];
        }
        let before = match side {
            Side::First | Side::Only => keep(simd, 1, lanes, simd.rotate_right_f32s(values, 1)),
            _ => self.load(simd, at - 1),
        };
        let after = match side {
            Side::Last | Side::Only => keep(simd, 0, lanes - 1, simd.rotate_left_f32s(values, 1)),
            _ => self.load(simd, at + 1),
        };
        [before, values, after]
    }

    #[inline(always)]
    fn load(&self, simd: S, at: usize) -> S::f32s {
        match self.input.get(at..at + S::F32_LANES) {
            Some(whole) => S::as_simd_f32s(whole).0[0],
            None => simd.partial_load_f32s(&self.input[at..]),
        }
    }

    /// Writes the sums, every `STRIDE`-th of them. Those beyond the end of the
    /// row lie where the next row will be written.
    #[inline(always)]
    fn store<const STRIDE: usize>(&mut self, simd: S, at: usize, sums: S::f32s) {
        let count = S::F32_LANES.div_ceil(STRIDE);
        if STRIDE == 1 {
            match self.out.get_mut(at..at + count) {
                Some(whole) => S::as_mut_simd_f32s(whole).0[0] = sums,
                None => simd.partial_store_f32s(&mut self.out[at..], sums),
            }
            return;
        }
        // The first of each pair is one half of a number of 64 bits.
        let sums = [sums];
        let pairs: &[u64] = bytemuck::cast_slice(&sums);
        let half = if cfg!(target_endian = "big") { 32 } else { 0 };
        let wanted = |pair: &u64| f32::from_bits((*pair >> half) as u32);
        match self.out.get_mut(at..at + count) {
            Some(whole) => whole.iter_mut().zip(pairs).for_each(|(out, pair)| *out = wanted(pair)),
            None => {
                let out = self.out[at..].iter_mut();
                out.zip(pairs).for_each(|(out, pair)| *out = wanted(pair));
            }
        }
    }
}

/// The lanes `from..to`, and zeros.
#[inline(always)]
fn keep<S: Simd>(simd: S, from: u32, to: u32, values: S::f32s) -> S::f32s {
    let mask = simd.mask_between_m32s(from, to).mask();
    simd.select_f32s(mask, values, simd.splat_f32s(0.0))
}
