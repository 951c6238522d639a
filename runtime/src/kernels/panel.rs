//! Products of float32 matrices in the order of a plain loop.
//!
//! ExecuTorch's portable kernels add the products of a row and a column one
//! after the other, each rounded. Results are the same to the last bit only if
//! that is done here too: neither fused nor in partial sums. So the vectors lie
//! across the columns: panels of columns, packed to lie in the cache, meet a
//! few rows at a time, whose sums stay in registers.

use super::parallel;
use core::ops::Range;

/// Depth of a panel: what fits into the first cache beside some rows.
const DEPTH: usize = 256;
/// Panels that some rows meet in a row, while they are in the first cache:
/// what fits into the second.
#[cfg(feature = "std")]
const PANELS: usize = 8;
/// Rows whose sums are in registers, of two vectors each.
const ROWS: usize = 6;
/// Multiplications that are worth a thread.
const WORTH_A_THREAD: usize = 1 << 18;

/// The left matrix; its rows are contiguous.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub data: &'a [f32],
    pub count: usize,
    pub stride: usize,
    pub depth: usize,
}

/// The right matrix.
pub(super) trait Columns: Sync {
    /// How many.
    fn count(&self) -> usize;

    /// Lays out the `depth` rows of some columns one after the other, each
    /// filled up with zeros to `width`. Must be `#[inline(always)]`.
    fn pack(&self, columns: Range<usize>, depth: Range<usize>, width: usize, panel: &mut [f32]);
}

/// Fills a line of a panel with elements, and what is left with zeros. Lines of
/// whole vectors are copied with as many moves instead of a call.
#[inline(always)]
pub(super) fn fill(line: &mut [f32], elements: &[f32]) {
    if let (Ok(line), Ok(elements)) =
        (<&mut [f32; 16]>::try_from(&mut *line), <&[f32; 16]>::try_from(elements))
    {
        *line = *elements;
    } else {
        let (head, tail) = line.split_at_mut(elements.len());
        head.copy_from_slice(elements);
        tail.fill(0.0);
    }
}

/// What is added to each finished sum.
#[derive(Clone, Copy)]
pub(super) enum Bias<'a> {
    None,
    /// One per row.
    Rows(&'a [f32]),
    /// One per column.
    Columns(&'a [f32]),
}

/// `out = rows × columns + bias`, with contiguous rows in `out`, `stride` apart.
pub(super) fn multiply<C: Columns>(
    rows: Rows<'_>,
    columns: &C,
    bias: Bias<'_>,
    (out, stride): (&mut [f32], usize),
    threads: usize,
) {
    if rows.count == 0 || columns.count() == 0 {
        return;
    }
    let work = rows.count.saturating_mul(columns.count()).saturating_mul(rows.depth);
    let threads = threads.min(work / WORTH_A_THREAD).max(1);
    let share = rows.count.div_ceil(threads).next_multiple_of(ROWS);
    parallel::chunks(out, share * stride, threads, |index, out| {
        let first = index * share;
        let part = Rows {
            data: &rows.data[first * rows.stride..],
            count: share.min(rows.count - first),
            ..rows
        };
        let bias = match bias {
            Bias::Rows(bias) => Bias::Rows(&bias[first..]),
            other => other,
        };
        imp::multiply(part, columns, bias, out, stride);
    });
}

#[cfg(feature = "std")]
mod imp {
    use super::{Bias, Columns, DEPTH, PANELS, ROWS, Range, Rows};
    use crate::kernels::scratch::Scratch;
    use pulp::Simd;

    /// Lines that are added without a look at the bounds.
    const UNROLL: usize = 8;

    pub(super) fn multiply<C: Columns>(
        rows: Rows<'_>,
        columns: &C,
        bias: Bias<'_>,
        out: &mut [f32],
        stride: usize,
    ) {
        pulp::Arch::new().dispatch(Product { rows, columns, bias, out, stride });
    }

    struct Product<'a, C> {
        rows: Rows<'a>,
        columns: &'a C,
        bias: Bias<'a>,
        out: &'a mut [f32],
        stride: usize,
    }

    impl<C: Columns> pulp::WithSimd for Product<'_, C> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(mut self, simd: S) {
            let (count, depth) = (self.columns.count(), self.rows.depth);
            let width = 2 * S::F32_LANES;
            let panels = PANELS.min(count.div_ceil(width));
            let mut memory = Scratch::<f32>::new(depth.min(DEPTH) * width * panels);
            // At least once: without depth there is still the bias.
            for first in (0..depth.max(1)).step_by(DEPTH) {
                let depth = first..depth.min(first + DEPTH);
                for column in (0..count).step_by(width * panels) {
                    let columns = column..count.min(column + width * panels);
                    self.block(simd, Place { columns, depth: depth.clone() }, &mut memory);
                }
            }
        }
    }

    impl<C: Columns> Product<'_, C> {
        /// All rows with the panels of some columns.
        #[inline(always)]
        fn block<S: Simd>(&mut self, simd: S, place: Place, memory: &mut [f32]) {
            let width = 2 * S::F32_LANES;
            let size = place.depth.len() * width;
            let panels = place.columns.len().div_ceil(width);
            for (index, panel) in memory.chunks_mut(size.max(1)).take(panels).enumerate() {
                let place = place.panel(index, width);
                let width = if place.columns.len() > S::F32_LANES { width } else { width / 2 };
                let panel = &mut panel[..place.depth.len() * width];
                self.columns.pack(place.columns, place.depth, width, panel);
            }
            let mut row = 0;
            while row < self.rows.count {
                row += match self.rows.count - row {
                    ROWS.. => self.tiles::<S, ROWS>(simd, row, &place, memory),
                    4.. => self.tiles::<S, 4>(simd, row, &place, memory),
                    2.. => self.tiles::<S, 2>(simd, row, &place, memory),
                    _ => self.tiles::<S, 1>(simd, row, &place, memory),
                };
            }
        }

        /// `R` rows from `row` on with all panels; returns `R`.
        #[inline(always)]
        fn tiles<S: Simd, const R: usize>(
            &mut self,
            simd: S,
            row: usize,
            place: &Place,
            memory: &[f32],
        ) -> usize {
            let width = 2 * S::F32_LANES;
            let size = place.depth.len() * width;
            for index in 0..place.columns.len().div_ceil(width) {
                let panel = &memory[index * size..][..size];
                let place = place.panel(index, width);
                match place.columns.len() {
                    whole if whole == width => {
                        self.tile::<S, R, 2>(simd, row, &place, panel, width);
                    }
                    part if part > S::F32_LANES => {
                        self.tile::<S, R, 2>(simd, row, &place, panel, part);
                    }
                    part => self.tile::<S, R, 1>(simd, row, &place, &panel[..size / 2], part),
                }
            }
            R
        }

        /// `R` rows from `row` on with the `width` columns of a panel.
        #[inline(always)]
        fn tile<S: Simd, const R: usize, const V: usize>(
            &mut self,
            simd: S,
            row: usize,
            place: &Place,
            panel: &[f32],
            width: usize,
        ) {
            let Place { columns, depth } = place;
            let lines = S::as_simd_f32s(panel).0.as_chunks::<V>().0;
            let rows: [&[f32]; R] = core::array::from_fn(|i| {
                &self.rows.data[(row + i) * self.rows.stride + depth.start..][..lines.len()]
            });
            let mut sums = [[simd.splat_f32s(0.0); V]; R];
            if depth.start > 0 {
                for (i, sums) in sums.iter_mut().enumerate() {
                    let out = &self.out[(row + i) * self.stride + columns.start..];
                    bytemuck::cast_slice_mut(sums)[..width].copy_from_slice(&out[..width]);
                }
            }
            let mut sums = accumulate(simd, sums, rows, lines);
            let done = depth.end == self.rows.depth;
            for (i, sums) in sums.iter_mut().enumerate() {
                let sums: &mut [f32] = bytemuck::cast_slice_mut(sums);
                let sums = &mut sums[..width];
                match self.bias {
                    Bias::Rows(bias) if done => {
                        let bias = bias[row + i];
                        sums.iter_mut().for_each(|sum| *sum += bias);
                    }
                    Bias::Columns(bias) if done => {
                        let bias = &bias[columns.start..][..width];
                        sums.iter_mut().zip(bias).for_each(|(sum, bias)| *sum += bias);
                    }
                    _ => {}
                }
                let out = &mut self.out[(row + i) * self.stride + columns.start..];
                out[..width].copy_from_slice(sums);
            }
        }
    }

    /// `sums[r] += Σ rows[r][k] * lines[k]`. The sums are taken and given back
    /// by value: whoever holds their address keeps them out of the registers.
    #[inline(always)]
    fn accumulate<S: Simd, const R: usize, const V: usize>(
        simd: S,
        mut sums: [[S::f32s; V]; R],
        rows: [&[f32]; R],
        lines: &[[S::f32s; V]],
    ) -> [[S::f32s; V]; R] {
        let (blocks, rest) = lines.as_chunks::<UNROLL>();
        let factors: [&[[f32; UNROLL]]; R] = core::array::from_fn(|row| rows[row].as_chunks().0);
        for (index, block) in blocks.iter().enumerate() {
            let factors: [&[f32; UNROLL]; R] = core::array::from_fn(|row| &factors[row][index]);
            for k in 0..UNROLL {
                sums = add_line(simd, sums, core::array::from_fn(|row| factors[row][k]), block[k]);
            }
        }
        let done = blocks.len() * UNROLL;
        for (k, line) in rest.iter().enumerate() {
            sums = add_line(simd, sums, core::array::from_fn(|row| rows[row][done + k]), *line);
        }
        sums
    }

    /// `sums[r] += factors[r] * line`
    #[inline(always)]
    fn add_line<S: Simd, const R: usize, const V: usize>(
        simd: S,
        mut sums: [[S::f32s; V]; R],
        factors: [f32; R],
        line: [S::f32s; V],
    ) -> [[S::f32s; V]; R] {
        for (sums, factor) in sums.iter_mut().zip(factors) {
            let factor = simd.splat_f32s(factor);
            for (sum, value) in sums.iter_mut().zip(line) {
                *sum = simd.add_f32s(*sum, simd.mul_f32s(factor, value));
            }
        }
        sums
    }

    /// Which part of the product.
    struct Place {
        columns: Range<usize>,
        depth: Range<usize>,
    }

    impl Place {
        /// The part of the panel `index`.
        #[inline(always)]
        fn panel(&self, index: usize, width: usize) -> Place {
            let start = self.columns.start + index * width;
            Place { columns: start..self.columns.end.min(start + width), depth: self.depth.clone() }
        }
    }
}

/// Without the standard library, the product by definition.
#[cfg(not(feature = "std"))]
mod imp {
    use super::{Bias, Columns, DEPTH, ROWS, Rows};

    pub(super) fn multiply<C: Columns>(
        rows: Rows<'_>,
        columns: &C,
        bias: Bias<'_>,
        out: &mut [f32],
        stride: usize,
    ) {
        let mut panel = [0.0; DEPTH];
        for column in 0..columns.count() {
            for row in 0..rows.count {
                out[row * stride + column] = 0.0;
            }
            for first in (0..rows.depth).step_by(DEPTH) {
                let depth = first..rows.depth.min(first + DEPTH);
                let panel = &mut panel[..depth.len()];
                columns.pack(column..column + 1, depth.clone(), 1, panel);
                for row in 0..rows.count {
                    let factors = &rows.data[row * rows.stride..][depth.clone()];
                    let sum = &mut out[row * stride + column];
                    panel.iter().zip(factors).for_each(|(value, factor)| *sum += factor * value);
                }
            }
            for row in 0..rows.count {
                out[row * stride + column] += match bias {
                    Bias::None => 0.0,
                    Bias::Rows(bias) => bias[row],
                    Bias::Columns(bias) => bias[column],
                };
            }
        }
        let _ = ROWS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    struct Matrix {
        data: Vec<f32>,
        columns: usize,
    }

    impl Columns for Matrix {
        fn count(&self) -> usize {
            self.columns
        }

        fn pack(&self, columns: Range<usize>, depth: Range<usize>, width: usize, out: &mut [f32]) {
            for (k, line) in depth.zip(out.chunks_exact_mut(width)) {
                fill(line, &self.data[k * self.columns..][columns.clone()]);
            }
        }
    }

    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919) % 1013) as f32 / 97.0 - 5.0).collect()
    }

    #[test]
    fn sums_are_those_of_a_plain_loop_to_the_last_bit() {
        for (rows, depth, columns) in
            [(1, 1, 1), (7, 300, 37), (13, 513, 8), (3, 0, 5), (26, 20, 16), (5, 260, 301)]
        {
            let left = numbers(rows * depth);
            let right = Matrix { data: numbers(depth * columns), columns };
            let bias = numbers(rows);
            for threads in [1, 3] {
                let mut out = alloc::vec![f32::NAN; rows * columns];
                let left = Rows { data: &left, count: rows, stride: depth, depth };
                multiply(left, &right, Bias::Rows(&bias), (&mut out, columns), threads);
                for row in 0..rows {
                    for column in 0..columns {
                        let mut sum = 0.0;
                        for k in 0..depth {
                            sum += left.data[row * depth + k] * right.data[k * columns + column];
                        }
                        assert_eq!(out[row * columns + column], sum + bias[row]);
                    }
                }
            }
        }
    }
}
