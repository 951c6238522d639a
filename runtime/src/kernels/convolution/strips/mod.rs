//! Depthwise 3×3 convolution of contiguous float32 planes, padded by one, with
//! a stride of 1 or 2: the usual one, so it reads planes as they lie.
//!
//! A strip goes down the plane and has a vector of results in each row. Of each
//! row of the input it needs the elements that they lie on and those to either
//! side, and keeps them for the next rows. With a stride of 2 that is every second
//! element of two vectors. Where to take them apart costs more than a
//! multiplication, the strip has one vector instead, and drops what it computes for
//! odd columns.
//!
//! ```text
//! mod.rs     planes, strips, rows of results
//! rows.rs    the elements that a row of results meets
//! pairs.rs   every second element of a row
//! ```

mod pairs;
mod rows;
#[cfg(test)]
mod tests;

use rows::Reader;

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
        let wide = self.g.output[1] >= S::F32_LANES;
        let count = self.out.len() / self.g.positions();
        for (channel, kernel) in self.weight.as_chunks::<9>().0[..count].iter().enumerate() {
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
                    [1, 1] => plane.strips(simd, step, Way::Each),
                    _ if pairs::are_fast::<S>() && wide => plane.strips(simd, step, Way::Pairs),
                    _ => plane.strips(simd, step, Way::Drop),
                },
            );
        }
    }
}

/// How the columns of the results are met by those of the input.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// One by one.
    Each,
    /// Every second, and results of odd columns are dropped.
    Drop,
    /// Every second element is taken.
    Pairs,
}

impl Way {
    /// Rows and columns of the input from one result to the next.
    const fn stride(self) -> usize {
        match self {
            Way::Each => 1,
            Way::Drop | Way::Pairs => 2,
        }
    }

    /// Results of a strip in a row.
    const fn columns<S: Simd>(self) -> usize {
        match self {
            Way::Drop => S::F32_LANES.div_ceil(2),
            Way::Each | Way::Pairs => S::F32_LANES,
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

struct Plane<'a, S: Simd> {
    height: usize,
    width: usize,
    kernel: [S::f32s; 9],
    bias: Option<S::f32s>,
    after: AfterVectors<S>,
    /// To the end of all planes, as vectors may reach into the next one.
    input: &'a [f32],
    output: [usize; 2],
    out: &'a mut [f32],
}

impl<S: Simd> Plane<'_, S> {
    /// All strips; the last one overlaps the one before.
    #[inline(always)]
    fn strips(&mut self, simd: S, step: Step, way: Way) {
        let (width, columns) = (self.output[1], way.columns::<S>());
        if width <= columns {
            let side = if width < columns { Side::Narrow } else { Side::Only };
            return self.strip(simd, step, way, 0, side);
        }
        self.strip(simd, step, way, 0, Side::First);
        for left in (columns..width - columns).step_by(columns) {
            self.strip(simd, step, way, left, Side::Inner);
        }
        self.strip(simd, step, way, width - columns, Side::Last);
    }

    /// The strip from column `left` of the output on.
    #[inline(always)]
    fn strip(&mut self, simd: S, step: Step, way: Way, left: usize, side: Side) {
        let (height, stride) = (self.output[0], way.stride());
        let reader = Reader::new(simd, way, side, left * stride, self.width);
        let mut above = reader.nothing();
        let mut row = reader.row(self.input, 0, self.height);
        // Rows that have one before and one behind are read without a question.
        let inner = match side {
            Side::Narrow => 0,
            _ => ((self.height - 1).saturating_sub(stride) / stride).min(height),
        };
        let mut lines = reader.inner_lines(self.input);
        for y in 0..inner {
            let below = reader.inner_row(lines.next());
            let sum = self.sum(simd, step, [above, row, below]);
            self.store(simd, way, (y, left), sum);
            (above, row) = match stride {
                1 => (row, below),
                _ => (below, reader.inner_row(lines.next())),
            };
        }
        for y in inner..height {
            let below = reader.row(self.input, y * stride + 1, self.height);
            let sum = self.sum(simd, step, [above, row, below]);
            self.store(simd, way, (y, left), sum);
            (above, row) = match stride {
                1 => (row, below),
                _ => (below, reader.row(self.input, y * stride + 2, self.height)),
            };
        }
    }

    /// The results of a strip in a row, from the three rows that they meet.
    #[inline(always)]
    fn sum(&self, simd: S, step: Step, rows: [[S::f32s; 3]; 3]) -> S::f32s {
        let mut sum = simd.splat_f32s(0.0);
        for (values, factors) in rows.iter().zip(self.kernel.as_chunks::<3>().0) {
            for (value, factor) in values.iter().zip(factors) {
                sum = step.add_vectors(simd, sum, *factor, *value);
            }
        }
        if let Some(bias) = self.bias {
            sum = simd.add_f32s(sum, bias);
        }
        self.after.apply(simd, step, sum)
    }

    /// Writes the sums, or every second of them. Those beyond the end of the row lie
    /// where the next row will be written.
    #[inline(always)]
    fn store(&mut self, simd: S, way: Way, (y, left): (usize, usize), sums: S::f32s) {
        let (at, columns) = (y * self.output[1] + left, way.columns::<S>());
        let results = match way {
            Way::Drop => pairs::every_second(simd, [sums, sums], 0),
            Way::Each | Way::Pairs => sums,
        };
        match self.out.get_mut(at..at + columns) {
            Some(place) if way == Way::Drop => {
                place.copy_from_slice(&bytemuck::cast_slice(&[results])[..columns]);
            }
            Some(place) => S::as_mut_simd_f32s(place).0[0] = results,
            // A narrow strip in one of the last rows.
            None => simd.partial_store_f32s(&mut self.out[at..], results),
        }
    }
}
