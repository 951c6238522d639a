//! Float32 products of strided matrices by way of [`panel`](super::panel).

use super::matrix::{Shape, check};
use super::means::Means;
use super::panel::{self, Bias, Columns, Left, Right, Rows};
use super::parallel;
use super::simd::{Step, vectorized_steps};
use crate::error::KernelResult;
use core::ops::Range;

/// Fewer rows than this do not pay for packing the right matrix.
const PACK_FROM: usize = 4;
/// Columns whose sums stay in the first cache.
const BLOCK: usize = 2048;
/// Lines of the matrix that are added in one go.
const LINES: usize = 4;
/// Multiplications that are worth a thread.
const WORTH_A_THREAD: usize = 1 << 18;

/// Whether there is something to add up, in contiguous rows.
pub(super) fn suits(out: &Shape, left: &Shape) -> bool {
    let contiguous = |shape: &Shape| shape.col_stride == 1 || shape.cols <= 1;
    left.cols > 0 && contiguous(out) && contiguous(left) && out.row_stride >= out.cols
}

/// `out = left * right`, where [`suits`] holds.
///
/// # Errors
/// The shapes do not fit each other or their slices.
pub(super) fn multiply(
    (out, o): (&mut [f32], Shape),
    (left, l): (&[f32], Shape),
    (right, r): (&[f32], Shape),
    means: Means,
) -> KernelResult {
    check(&(&mut *out, o), &(left, l), &(right, r))?;
    if o.rows == 0 || o.cols == 0 {
        return Ok(());
    }
    if l.rows < PACK_FROM && r.col_stride == 1 {
        for row in 0..o.rows {
            let factors = &left[row * l.row_stride..][..l.cols];
            let out = &mut out[row * o.row_stride..][..o.cols];
            vector(factors, (right, r), out, means);
        }
        return Ok(());
    }
    let rows = Rows { data: left, count: l.rows, stride: l.row_stride, depth: l.cols };
    let columns = Strided { data: right, shape: r };
    let out = (out, o.row_stride);
    panel::multiply(Left::Rows(rows), Right::Columns(&columns), Bias::None, out, means);
    Ok(())
}

/// Lanes of a [`dots`] sum: the partial sums that ExecuTorch's transposed
/// product adds up at the end.
const LANES: usize = 4;
/// Rows and columns whose partial sums stay in registers.
const TILE: [usize; 2] = [4, 2];

/// `out[row][column] = left row · right row`: both matrices have contiguous
/// rows of `depth` elements. The sums are those of ExecuTorch's product with a
/// transposed matrix: every fourth element goes to the same partial sum.
pub(super) fn dots(
    (left, right): (&[f32], &[f32]),
    (depth, columns): (usize, usize),
    out: &mut [f32],
    means: Means,
) {
    if out.is_empty() || columns == 0 {
        return;
    }
    let threads = means.threads.min(out.len() * depth / WORTH_A_THREAD).max(1);
    let share = (out.len() / columns).div_ceil(threads).next_multiple_of(TILE[0]);
    parallel::chunks(out, share * columns, threads, |index, out| {
        let left = &left[index * share * depth..];
        vectorized_steps(
            means.rounding,
            #[inline(always)]
            |step| {
                for (tile, out) in out.chunks_mut(TILE[0] * columns).enumerate() {
                    let rows = &left[tile * TILE[0] * depth..];
                    if out.len() == TILE[0] * columns {
                        dot_rows::<{ TILE[0] }>(step, rows, right, depth, columns, out);
                    } else {
                        for (row, out) in out.chunks_mut(columns).enumerate() {
                            dot_rows::<1>(step, &rows[row * depth..], right, depth, columns, out);
                        }
                    }
                }
            },
        );
    });
}

/// Some rows with all columns.
#[inline(always)]
fn dot_rows<const R: usize>(
    step: Step,
    left: &[f32],
    right: &[f32],
    depth: usize,
    columns: usize,
    out: &mut [f32],
) {
    let rows: [&[f32]; R] = core::array::from_fn(|row| &left[row * depth..][..depth]);
    let mut column = 0;
    while column + TILE[1] <= columns {
        let others = core::array::from_fn(|i| &right[(column + i) * depth..][..depth]);
        let sums = dot_tile::<R, { TILE[1] }>(step, rows, others);
        for (row, sums) in sums.iter().enumerate() {
            out[row * columns + column..][..TILE[1]].copy_from_slice(sums);
        }
        column += TILE[1];
    }
    for column in column..columns {
        let sums = dot_tile::<R, 1>(step, rows, [&right[column * depth..][..depth]]);
        for (row, [sum]) in sums.iter().enumerate() {
            out[row * columns + column] = *sum;
        }
    }
}

#[inline(always)]
fn dot_tile<const R: usize, const C: usize>(
    step: Step,
    rows: [&[f32]; R],
    columns: [&[f32]; C],
) -> [[f32; C]; R] {
    let whole = rows[0].len() / LANES;
    let rows = rows.map(|row| row.as_chunks::<LANES>());
    let columns = columns.map(|column| column.as_chunks::<LANES>());
    let mut partial = [[[0f32; LANES]; C]; R];
    for k in 0..whole {
        for (partial, (row, _)) in partial.iter_mut().zip(&rows) {
            for (partial, (column, _)) in partial.iter_mut().zip(&columns) {
                for lane in 0..LANES {
                    partial[lane] = step.add(partial[lane], row[k][lane], column[k][lane]);
                }
            }
        }
    }
    let mut sums = [[0.0; C]; R];
    for (r, (_, row_rest)) in rows.iter().enumerate() {
        for (c, (_, column_rest)) in columns.iter().enumerate() {
            let [mut first, second, third, fourth] = partial[r][c];
            row_rest.iter().zip(*column_rest).for_each(|(a, b)| first = step.add(first, *a, *b));
            sums[r][c] = first + second + third + fourth;
        }
    }
    sums
}

/// One row times a matrix with contiguous rows, which is read once as it lies.
fn vector(factors: &[f32], (right, r): (&[f32], Shape), out: &mut [f32], means: Means) {
    let threads = means.threads.min(factors.len() * out.len() / WORTH_A_THREAD).max(1);
    let share = out.len().div_ceil(threads).clamp(1, BLOCK);
    parallel::chunks(out, share, threads, |index, out| {
        vectorized_steps(
            means.rounding,
            #[inline(always)]
            |step| {
                out.fill(0.0);
                let (groups, rest) = factors.as_chunks::<LINES>();
                for (group, factors) in groups.iter().enumerate() {
                    let first = group * LINES * r.row_stride + index * share;
                    add_lines(step, out, factors, &right[first..], r.row_stride);
                }
                for (k, factor) in (groups.len() * LINES..).zip(rest) {
                    let line = &right[k * r.row_stride + index * share..];
                    for (out, value) in out.iter_mut().zip(line) {
                        *out = step.add(*out, *factor, *value);
                    }
                }
            },
        );
    });
}

/// Adds lines that are `stride` apart, scaled, one after the other.
#[inline(always)]
fn add_lines(step: Step, out: &mut [f32], factors: &[f32; LINES], lines: &[f32], stride: usize) {
    let [a, b, c, d]: [&[f32]; LINES] =
        core::array::from_fn(|line| &lines[line * stride..][..out.len()]);
    let lines = a.iter().zip(b).zip(c.iter().zip(d));
    for (out, ((a, b), (c, d))) in out.iter_mut().zip(lines) {
        let sum = step.add(step.add(*out, factors[0], *a), factors[1], *b);
        *out = step.add(step.add(sum, factors[2], *c), factors[3], *d);
    }
}

/// The columns of a matrix in memory.
struct Strided<'a> {
    data: &'a [f32],
    shape: Shape,
}

impl Columns for Strided<'_> {
    fn count(&self) -> usize {
        self.shape.cols
    }

    #[inline(always)]
    fn pack(&self, columns: Range<usize>, depth: Range<usize>, width: usize, panel: &mut [f32]) {
        let Shape { row_stride, col_stride, .. } = self.shape;
        let first = columns.start * col_stride;
        if col_stride == 1 {
            for (k, line) in depth.zip(panel.chunks_exact_mut(width)) {
                panel::fill(line, &self.data[k * row_stride + first..][..columns.len()]);
            }
            return;
        }
        if columns.len() < width {
            panel.fill(0.0);
        }
        for (at, column) in columns.enumerate() {
            let values = self.data[column * col_stride + depth.start * row_stride..].iter();
            let lines = panel.chunks_exact_mut(width);
            for (line, value) in lines.zip(values.step_by(row_stride.max(1))) {
                line[at] = *value;
            }
        }
    }
}
