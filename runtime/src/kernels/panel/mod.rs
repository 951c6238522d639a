//! Products of float32 matrices in the order of a plain loop.
//!
//! ExecuTorch's portable kernels add the products of a row and a column one
//! after the other, each rounded. Results are the same to the last bit only if
//! that is done here too: not in partial sums, and fused only where
//! [`Rounding::Once`](crate::Rounding::Once) is asked for. So the vectors lie
//! across the columns: panels of columns, packed to lie in the cache, meet a
//! few rows at a time, whose sums stay in registers from the first product to
//! the last. A processor that adds and multiplies in different units loses
//! nothing by that.
//!
//! ```text
//! mod.rs     what is multiplied, and the shares of threads
//! rows.rs    the left matrix, its rows interleaved tile by tile
//! cut.rs     how columns are cut into panels
//! packed.rs  the right matrix, laid out in panels
//! tiles.rs   the loops, for the vectors of this processor
//! finish.rs  what is done to finished sums before they are written
//! plain.rs   the same without the standard library
//! ```

#[cfg(feature = "std")]
mod cut;
#[cfg(feature = "std")]
mod finish;
#[cfg(feature = "std")]
mod packed;
#[cfg(not(feature = "std"))]
mod plain;
mod rows;
#[cfg(feature = "std")]
mod tiles;

#[cfg(feature = "std")]
pub(super) use finish::{After, AfterVectors, Finish, Limit};
#[cfg(feature = "std")]
pub(super) use packed::Packed;
#[cfg(not(feature = "std"))]
use plain as imp;
pub(super) use rows::{Rows, Tiles};
#[cfg(feature = "std")]
use tiles as imp;

use super::means::{Means, Rounding};
use super::parallel;
use core::ops::Range;

/// Multiplications that are worth a thread.
const WORTH_A_THREAD: usize = 1 << 18;

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
    #[inline(always)]
    fn copy<const N: usize>(line: &mut [f32], elements: &[f32]) -> Option<()> {
        let elements: &[f32; N] = elements.try_into().ok()?;
        *<&mut [f32; N]>::try_from(line).ok()? = *elements;
        Some(())
    }
    let done = match elements.len() {
        48 => copy::<48>(line, elements),
        32 => copy::<32>(line, elements),
        24 => copy::<24>(line, elements),
        16 => copy::<16>(line, elements),
        8 => copy::<8>(line, elements),
        4 => copy::<4>(line, elements),
        1 => copy::<1>(line, elements),
        _ => None,
    };
    if done.is_none() {
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

impl<'a> Bias<'a> {
    /// That of the rows from `first` on.
    fn after(self, first: usize) -> Self {
        match self {
            Bias::Rows(bias) => Bias::Rows(&bias[first..]),
            other => other,
        }
    }
}

/// The left matrix: as it is, or interleaved before.
#[derive(Clone, Copy)]
pub(super) enum Left<'a> {
    Rows(Rows<'a>),
    Tiles(&'a Tiles),
}

impl Left<'_> {
    fn count(self) -> usize {
        match self {
            Left::Rows(rows) => rows.count,
            Left::Tiles(tiles) => tiles.count(),
        }
    }

    fn depth(self) -> usize {
        match self {
            Left::Rows(rows) => rows.depth,
            Left::Tiles(tiles) => tiles.depth(),
        }
    }
}

/// The right matrix: to be packed, or packed before.
pub(super) enum Right<'a, C> {
    Columns(&'a C),
    #[cfg(feature = "std")]
    Packed(&'a Packed),
    /// As it is.
    #[cfg(feature = "std")]
    Planes(Planes<'a>),
    #[cfg(feature = "std")]
    Windows(Windows<'a>),
}

/// Elements that each row of a matrix which is read as it is must have, or there must
/// be as many behind it: a panel of any processor.
#[cfg(feature = "std")]
pub(super) const READ: usize = 48;

/// A right matrix of which an image has the rows. Its columns are `height` lines of
/// `width` elements, of which line `y` of row `k` begins at element
/// `offsets[k] + y * row`.
#[cfg(feature = "std")]
#[derive(Clone, Copy)]
pub(super) struct Windows<'a> {
    pub data: &'a [f32],
    pub offsets: &'a [usize],
    pub row: usize,
    pub height: usize,
    pub width: usize,
}

/// A right matrix whose rows are contiguous.
#[derive(Clone, Copy)]
pub(super) struct Planes<'a> {
    data: &'a [f32],
    stride: usize,
    count: usize,
}

impl<'a> Planes<'a> {
    /// Rows of `count` columns, `stride` apart.
    pub fn new(data: &'a [f32], stride: usize, count: usize) -> Self {
        Planes { data, stride, count }
    }

    /// Whether each row begins with a cache line, as then no vector lies across two.
    #[cfg(feature = "std")]
    fn are_lines(&self) -> bool {
        const LINE: usize = 64;
        let begins = self.data.as_ptr().addr().is_multiple_of(LINE);
        begins && self.stride.is_multiple_of(LINE / size_of::<f32>())
    }
}

impl Columns for Planes<'_> {
    fn count(&self) -> usize {
        self.count
    }

    #[inline(always)]
    fn pack(&self, columns: Range<usize>, depth: Range<usize>, width: usize, panel: &mut [f32]) {
        if width == 1 {
            let values = self.data[depth.start * self.stride + columns.start..].iter();
            let values = values.step_by(self.stride.max(1));
            return panel.iter_mut().zip(values).for_each(|(place, value)| *place = *value);
        }
        for (k, line) in depth.zip(panel.chunks_exact_mut(width)) {
            fill(line, &self.data[k * self.stride..][columns.clone()]);
        }
    }
}

impl<C> Clone for Right<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Right<'_, C> {}

impl<C: Columns> Right<'_, C> {
    fn count(self) -> usize {
        match self {
            Right::Columns(columns) => columns.count(),
            #[cfg(feature = "std")]
            Right::Packed(packed) => packed.count(),
            #[cfg(feature = "std")]
            Right::Planes(planes) => planes.count,
            #[cfg(feature = "std")]
            Right::Windows(windows) => windows.height * windows.width,
        }
    }
}

/// `out = left × right + bias`, with contiguous rows in `out`, `stride` apart.
pub(super) fn multiply<C: Columns>(
    left: Left<'_>,
    right: Right<'_, C>,
    bias: Bias<'_>,
    (out, stride): (&mut [f32], usize),
    means: Means,
) {
    let (rows, columns) = (left.count(), right.count());
    if rows == 0 || columns == 0 {
        return;
    }
    let work = rows.saturating_mul(columns).saturating_mul(left.depth());
    let threads = means.threads.min(work / WORTH_A_THREAD).max(1);
    let share = rows.div_ceil(threads).next_multiple_of(rows::MOST);
    parallel::chunks(out, share * stride, threads, |index, out| {
        let first = index * share;
        let part = first..rows.min(first + share);
        let bias = bias.after(first);
        imp::multiply(left, part, right, bias, (out, stride), means.rounding);
    });
}

/// Some rows of the product, on this thread. `rows.start` must be a multiple of
/// [`Tiles::STEP`]; `finish` and `out` are those of the first of the rows.
#[cfg(feature = "std")]
pub(super) fn multiply_rows(
    tiles: &Tiles,
    rows: Range<usize>,
    right: Right<'_, NoColumns>,
    finish: Finish<'_>,
    out: (&mut [f32], usize),
    rounding: Rounding,
) {
    imp::multiply(Left::Tiles(tiles), rows, right, finish, out, rounding);
}

/// `out = rows × packed + bias`, with rows one after the other in `out`.
#[cfg(feature = "std")]
pub(super) fn multiply_packed(
    rows: Rows<'_>,
    packed: &Packed,
    bias: Bias<'_>,
    out: &mut [f32],
    means: Means,
) {
    let right = Right::<NoColumns>::Packed(packed);
    multiply(Left::Rows(rows), right, bias, (out, packed.count()), means);
}

/// Columns of a product that packs none.
#[cfg(feature = "std")]
pub(super) enum NoColumns {}

#[cfg(feature = "std")]
impl Columns for NoColumns {
    fn count(&self) -> usize {
        0
    }

    fn pack(&self, _: Range<usize>, _: Range<usize>, _: usize, _: &mut [f32]) {}
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::kernels::simd::fuses;
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

    /// A step of a plain loop that rounds so on this processor.
    fn step(rounding: Rounding, sum: f32, a: f32, b: f32) -> f32 {
        match rounding {
            Rounding::Once if fuses() => a.mul_add(b, sum),
            _ => sum + a * b,
        }
    }

    const SIZES: [(usize, usize, usize); 20] = [
        (16, 9, 49),
        (9, 70, 100),
        (8, 33, 52),
        (1, 65, 250),
        (12, 9, 33),
        (26, 40, 49),
        (15, 11, 68),
        (37, 6, 99),
        (1, 1, 1),
        (7, 300, 37),
        (13, 513, 8),
        (3, 0, 5),
        (26, 20, 16),
        (5, 260, 301),
        (24, 7, 33),
        (23, 5, 49),
        (12, 2, 31),
        (27, 40, 17),
        (13, 1, 9),
        (6, 30, 25),
    ];

    #[test]
    fn sums_are_those_of_a_plain_loop_to_the_last_bit() {
        for rounding in [Rounding::Twice, Rounding::Once] {
            for size in SIZES {
                meets_a_plain_loop(size, rounding);
            }
        }
    }

    /// The matrix to be packed, and as it is if that is possible.
    fn ways<'a>(matrix: &'a Matrix, offsets: &'a [usize]) -> Vec<Right<'a, Matrix>> {
        let mut ways = alloc::vec![Right::Columns(matrix)];
        if matrix.columns >= READ {
            let (data, width) = (&matrix.data[..], matrix.columns);
            ways.push(Right::Planes(Planes::new(data, width, width)));
            ways.push(Right::Windows(Windows { data, offsets, row: 0, height: 1, width }));
        }
        ways
    }

    fn meets_a_plain_loop((rows, depth, columns): (usize, usize, usize), rounding: Rounding) {
        let left = numbers(rows * depth);
        let right = Matrix { data: numbers(depth * columns), columns };
        let (by_row, by_column) = (numbers(rows), numbers(columns));
        let left = Rows { data: &left, count: rows, stride: depth, depth };
        let tiles = Tiles::of(left);
        let offsets: Vec<usize> = (0..depth).map(|k| k * columns).collect();
        let plain = |row: usize, column: usize| {
            (0..depth).fold(0.0, |sum, k| {
                step(rounding, sum, left.data[row * depth + k], right.data[k * columns + column])
            })
        };
        for (left, threads) in [(Left::Rows(left), 1), (Left::Tiles(&tiles), 3)] {
            let means = Means { threads, rounding };
            for bias in [Bias::None, Bias::Rows(&by_row), Bias::Columns(&by_column)] {
                for right in ways(&right, &offsets) {
                    let mut out = alloc::vec![f32::NAN; rows * columns];
                    multiply(left, right, bias, (&mut out, columns), means);
                    for (index, found) in out.iter().enumerate() {
                        let (row, column) = (index / columns, index % columns);
                        let sum = plain(row, column);
                        let expected = match bias {
                            Bias::None => sum,
                            Bias::Rows(bias) => sum + bias[row],
                            Bias::Columns(bias) => sum + bias[column],
                        };
                        assert_eq!(*found, expected, "{rows} {depth} {columns}: {row} {column}");
                    }
                }
            }
        }
    }

    #[test]
    fn rows_of_a_packed_product_are_those_of_the_whole() {
        for (rows, depth, columns) in SIZES {
            let left = numbers(rows * depth);
            let right = Matrix { data: numbers(depth * columns), columns };
            let left = Rows { data: &left, count: rows, stride: depth, depth };
            let mut whole = alloc::vec![f32::NAN; rows * columns];
            let (tiles, packed) = (Tiles::of(left), Packed::of(&right, depth));
            multiply(
                Left::Rows(left),
                Right::Columns(&right),
                Bias::None,
                (&mut whole, columns),
                Means::PLAIN,
            );
            for first in (0..rows).step_by(Tiles::STEP) {
                let part = first..rows.min(first + Tiles::STEP);
                let mut out = alloc::vec![f32::NAN; part.len() * columns];
                multiply_rows(
                    &tiles,
                    part.clone(),
                    Right::Packed(&packed),
                    Bias::None.into(),
                    (&mut out, columns),
                    Rounding::Twice,
                );
                assert_eq!(out, whole[part.start * columns..part.end * columns]);
            }
        }
    }
}
