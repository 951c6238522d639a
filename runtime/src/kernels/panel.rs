//! Products of float32 matrices in the order of a plain loop.
//!
//! ExecuTorch's portable kernels add the products of a row and a column one
//! after the other, each rounded. Results are the same to the last bit only if
//! that is done here too: neither fused nor in partial sums. So the vectors lie
//! across the columns: a panel of columns, packed to lie in the cache, meets a
//! few rows at a time, whose sums stay in registers.

use super::parallel;
use core::ops::Range;

/// Depth of a panel: what fits into the first cache beside some rows.
const DEPTH: usize = 256;
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
    use super::{Bias, Columns, DEPTH, ROWS, Range, Rows};
    use alloc::vec;
    use pulp::Simd;

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
            let mut panel = vec![0.0; depth.min(DEPTH) * 2 * S::F32_LANES];
            // At least once: without depth there is still the bias.
            for first in (0..depth.max(1)).step_by(DEPTH) {
                let depth = first..depth.min(first + DEPTH);
                for column in (0..count).step_by(2 * S::F32_LANES) {
                    let columns = column..count.min(column + 2 * S::F32_LANES);
                    if columns.len() > S::F32_LANES {
                        self.panel::<S, 2>(simd, columns, depth.clone(), &mut panel);
                    } else {
                        self.panel::<S, 1>(simd, columns, depth.clone(), &mut panel);
                    }
                }
            }
        }
    }

    impl<C: Columns> Product<'_, C> {
        /// All rows with a panel of `V` vectors.
        #[inline(always)]
        fn panel<S: Simd, const V: usize>(
            &mut self,
            simd: S,
            columns: Range<usize>,
            depth: Range<usize>,
            panel: &mut [f32],
        ) {
            let width = V * S::F32_LANES;
            let panel = &mut panel[..depth.len() * width];
            self.columns.pack(columns.clone(), depth.clone(), width, panel);
            let lines = S::as_simd_f32s(panel).0.as_chunks::<V>().0;
            let place = Place { columns, depth };
            let mut row = 0;
            while row < self.rows.count {
                row += match self.rows.count - row {
                    ROWS.. => self.tile::<S, ROWS, V>(simd, row, &place, lines),
                    4.. => self.tile::<S, 4, V>(simd, row, &place, lines),
                    2.. => self.tile::<S, 2, V>(simd, row, &place, lines),
                    _ => self.tile::<S, 1, V>(simd, row, &place, lines),
                };
            }
        }

        /// `R` rows from `row` on with a panel; returns `R`.
        #[inline(always)]
        fn tile<S: Simd, const R: usize, const V: usize>(
            &mut self,
            simd: S,
            row: usize,
            place: &Place,
            lines: &[[S::f32s; V]],
        ) -> usize {
            let Place { columns, depth } = place;
            let rows: [&[f32]; R] = core::array::from_fn(|i| {
                &self.rows.data[(row + i) * self.rows.stride + depth.start..][..lines.len()]
            });
            let mut sums = [[simd.splat_f32s(0.0); V]; R];
            if depth.start > 0 {
                for (i, sums) in sums.iter_mut().enumerate() {
                    let out = &self.out[(row + i) * self.stride + columns.start..];
                    let sums = bytemuck::cast_slice_mut(sums);
                    copy(&mut sums[..columns.len()], &out[..columns.len()]);
                }
            }
            let mut sums = accumulate(simd, sums, rows, lines);
            let done = depth.end == self.rows.depth;
            for (i, sums) in sums.iter_mut().enumerate() {
                let sums: &mut [f32] = bytemuck::cast_slice_mut(sums);
                let sums = &mut sums[..columns.len()];
                match self.bias {
                    Bias::Rows(bias) if done => {
                        sums.iter_mut().for_each(|sum| *sum += bias[row + i]);
                    }
                    Bias::Columns(bias) if done => {
                        let bias = &bias[columns.clone()];
                        sums.iter_mut().zip(bias).for_each(|(sum, bias)| *sum += bias);
                    }
                    _ => {}
                }
                let out = &mut self.out[(row + i) * self.stride + columns.start..];
                copy(&mut out[..columns.len()], sums);
            }
            R
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
        for (k, line) in lines.iter().enumerate() {
            let line = *line;
            for (sums, row) in sums.iter_mut().zip(&rows) {
                let factor = simd.splat_f32s(row[k]);
                for (sum, value) in sums.iter_mut().zip(line) {
                    *sum = simd.add_f32s(*sum, simd.mul_f32s(factor, value));
                }
            }
        }
        sums
    }

    /// Which part of the product.
    struct Place {
        columns: Range<usize>,
        depth: Range<usize>,
    }

    /// Short copies, mostly of full width.
    #[inline(always)]
    fn copy(target: &mut [f32], source: &[f32]) {
        target.iter_mut().zip(source).for_each(|(target, source)| *target = *source);
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
                line.fill(0.0);
                line[..columns.len()]
                    .copy_from_slice(&self.data[k * self.columns..][columns.clone()]);
            }
        }
    }

    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919) % 1013) as f32 / 97.0 - 5.0).collect()
    }

    #[test]
    fn sums_are_those_of_a_plain_loop_to_the_last_bit() {
        for (rows, depth, columns) in
            [(1, 1, 1), (7, 300, 37), (13, 513, 8), (3, 0, 5), (26, 20, 16)]
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
