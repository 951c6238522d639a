//! Products of matrices of bytes, as [`crate::product`] has those of float32:
//! rows that lie somewhere in the input with columns that were packed when the
//! graph was loaded.
//!
//! Sums are exact. The zero points of the input are taken off at the end: what a
//! column adds up to, times the zero point.

mod lanes;

pub(crate) use lanes::{Dot, Task, dispatch};

use crate::product::OUTSIDE;
use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;
use std::ops::Range;

/// Most columns in a panel.
pub(crate) const WIDEST: usize = 32;
/// Most rows whose sums are in registers.
pub(crate) const MOST_ROWS: usize = 12;
/// Bytes of rows that meet all columns, to lie in the second cache.
const BLOCK: usize = 128 * 1024;
/// Multiplications that are worth a thread.
const WORTH_A_THREAD: usize = 1 << 19;

/// Columns in panels of four lines each: four bytes of each column side by side.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    panels: Vec<Line>,
    pub columns: usize,
    pub taps: usize,
    /// Numbers in a tap.
    pub depth: usize,
    /// Columns in a panel.
    width: usize,
    /// Numbers of a column that are added up on their own; a multiple of four
    /// unless it is all of them.
    piece: usize,
    /// What each column adds up to, piece by piece.
    totals: Vec<i32>,
    /// What stands for 0.
    zero: i32,
}

/// Four bytes of each of some columns, aligned as vectors are.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([[i8; 4]; LINE]);

/// Columns in a [`Line`], of which a panel has a whole number.
const LINE: usize = 16;

struct Width;

impl Task for Width {
    type Output = usize;

    #[inline(always)]
    fn run<D: Dot>(self, _dot: D) -> usize {
        2 * D::LANES
    }
}

impl Packed {
    /// Packs what `element(column, tap, k)` gives, of which `zero` stands for 0.
    /// Sums are taken over after `piece` numbers; 0 for all at once.
    pub fn new(
        columns: usize,
        (taps, depth): (usize, usize),
        (piece, zero): (usize, i32),
        element: impl Fn(usize, usize, usize) -> i8,
    ) -> Self {
        let (width, numbers) = (dispatch(Width), taps * depth);
        let piece = if piece == 0 { numbers.max(1) } else { piece };
        let (panels, lines) = (columns.div_ceil(width), numbers.div_ceil(4));
        let mut packed = Packed {
            panels: vec![Line([[0; 4]; LINE]); panels * lines * width / LINE],
            columns,
            taps,
            depth,
            width,
            piece,
            totals: vec![0; panels * width * numbers.div_ceil(piece)],
            zero,
        };
        for column in 0..columns {
            let (panel, offset) = (column / width, column % width);
            for number in 0..numbers {
                let byte = element(column, number / depth, number % depth);
                let line = panel * lines + number / 4;
                let place = line * width + offset;
                packed.panels[place / LINE].0[place % LINE][number % 4] = byte;
                packed.totals[number / piece * panels * width + column] += i32::from(byte);
            }
        }
        packed
    }

    fn numbers(&self) -> usize {
        self.taps * self.depth
    }

    /// Columns with those that fill the last panel.
    pub fn padded(&self) -> usize {
        self.columns.next_multiple_of(self.width)
    }

    /// What each column adds up to, padded.
    pub fn totals(&self) -> &[i32] {
        &self.totals
    }
}

/// Sums of some rows in the columns of a panel.
pub(crate) struct Sums<'a> {
    /// The first row and column.
    pub row: usize,
    pub column: usize,
    /// As many of each row as `count` says; those past the last column mean nothing.
    pub rows: &'a [[i32; WIDEST]],
    pub count: usize,
}

/// Where numbers are stored.
pub(crate) enum Out<'a> {
    Bytes(&'a mut [u8]),
    Floats(&'a mut [f32]),
}

impl Out<'_> {
    /// The same again.
    pub fn again(&mut self) -> Out<'_> {
        match self {
            Out::Bytes(out) => Out::Bytes(out),
            Out::Floats(out) => Out::Floats(out),
        }
    }

    fn len(&self) -> usize {
        match self {
            Out::Bytes(out) => out.len(),
            Out::Floats(out) => out.len(),
        }
    }
}

/// Where the rows of a tile go.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    /// Of the first row.
    pub start: usize,
    /// Distance of rows.
    pub stride: usize,
    /// Columns that there are.
    pub used: usize,
}

/// What becomes of the sums of products. It is called once for a tile, so that
/// the loops over the products are compiled once for all of these.
pub(crate) trait Finish: Sync {
    /// The zero point of a row.
    fn zero(&self, row: usize) -> i32;

    /// Stores sums, of which the zero points are still to be taken off.
    fn sums(&self, sums: &Sums<'_>, out: &mut Out<'_>, target: Target);

    /// Adds the sums of a piece of the columns to totals that begin at 0;
    /// `own` is what each column of the piece adds up to.
    fn add(&self, piece: usize, own: &[i32], sums: &Sums<'_>, totals: &mut [[f32; WIDEST]]) {
        let _ = (piece, own, sums, totals);
    }

    /// Stores totals of pieces.
    fn totals(
        &self,
        (row, column): (usize, usize),
        totals: &[[f32; WIDEST]],
        out: &mut Out<'_>,
        target: Target,
    ) {
        let _ = (row, column, totals, out, target);
    }
}

/// A product to be made.
pub(crate) struct Product<'a> {
    pub packed: &'a Packed,
    pub input: &'a [u8],
    pub rows: usize,
    pub place: crate::product::Place<'a>,
    /// Distance of rows that lie one behind the other, of one tap each; then
    /// nobody is asked for places.
    pub dense: Option<usize>,
    pub finish: &'a dyn Finish,
    /// Distance of rows in the output.
    pub stride: usize,
    /// The first column in the output.
    pub first_column: usize,
}

impl Product<'_> {
    /// Makes it, with up to `threads` threads.
    pub fn run(&self, out: Out<'_>, threads: usize) {
        if self.rows == 0 || self.packed.columns == 0 {
            return;
        }
        let work = self.rows.saturating_mul(self.packed.columns);
        let work = work.saturating_mul(self.packed.numbers());
        let threads = threads.min(work / WORTH_A_THREAD).max(1);
        if threads == 1 {
            return dispatch(Share { product: self, first: 0, out });
        }
        let share = self.rows.div_ceil(threads).next_multiple_of(MOST_ROWS);
        let some = |index: usize, out: Out<'_>| {
            if index * share < self.rows {
                dispatch(Share { product: self, first: index * share, out });
            }
        };
        let size = share * self.stride;
        match out {
            Out::Bytes(out) => {
                let parts = out.par_chunks_mut(size).enumerate();
                parts.for_each(|(index, out)| some(index, Out::Bytes(out)));
            }
            Out::Floats(out) => {
                let parts = out.par_chunks_mut(size).enumerate();
                parts.for_each(|(index, out)| some(index, Out::Floats(out)));
            }
        }
    }
}

/// Some rows of a product.
struct Share<'a, 'p> {
    product: &'a Product<'p>,
    first: usize,
    out: Out<'a>,
}

/// Rows as they lie in the input, or copied.
#[derive(Clone, Copy)]
struct Rows<'a> {
    bytes: &'a [u8],
    places: Places<'a>,
    /// Bytes of a row, a multiple of four.
    size: usize,
}

/// Where rows begin.
#[derive(Clone, Copy)]
enum Places<'a> {
    /// One by one.
    Each(&'a [usize]),
    /// The first, and the distance from row to row.
    Every(usize, usize),
}

impl<'a> Rows<'a> {
    #[inline(always)]
    fn row(&self, index: usize) -> &'a [[u8; 4]] {
        let place = match self.places {
            Places::Each(places) => places[index],
            Places::Every(first, distance) => first + index * distance,
        };
        self.bytes[place..][..self.size].as_chunks().0
    }
}

impl Task for Share<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<D: Dot>(mut self, dot: D) {
        let packed = self.product.packed;
        debug_assert_eq!(packed.width, 2 * D::LANES);
        let (taps, depth, numbers) = (packed.taps, packed.depth, packed.numbers());
        let count = self.out.len().div_ceil(self.product.stride);
        let count = count.min(self.product.rows - self.first);
        let size = numbers.next_multiple_of(4);
        let block = (BLOCK / size.max(1) / MOST_ROWS * MOST_ROWS).clamp(MOST_ROWS, 96);
        let in_place = taps == 1 && size == numbers;
        let (mut places, mut copied) = (Vec::with_capacity(block * taps), Vec::new());
        for start in (0..count).step_by(block) {
            let rows = start..count.min(start + block);
            let input = self.product.input;
            if let Some(distance) = self.product.dense.filter(|_| in_place) {
                let places = Places::Every((self.first + start) * distance, distance);
                self.block(dot, rows, Rows { bytes: input, places, size });
                continue;
            }
            places.clear();
            rows.clone().for_each(|row| (self.product.place)(self.first + row, &mut places));
            if in_place && !places.contains(&OUTSIDE) {
                let places = Places::Each(&places);
                self.block(dot, rows, Rows { bytes: input, places, size });
                continue;
            }
            copied.clear();
            for (row, places) in rows.clone().zip(places.chunks_exact(taps.max(1))) {
                let zero = self.product.finish.zero(self.first + row);
                copy(input, places, depth, zero as u8, &mut copied);
                copied.resize(copied.len().next_multiple_of(4), 0);
            }
            let places = Places::Every(0, size);
            self.block(dot, rows, Rows { bytes: &copied, places, size });
        }
    }
}

/// Adds the taps of a row; neighbours under a kernel are mostly neighbours in memory.
#[inline(always)]
fn copy(input: &[u8], places: &[usize], depth: usize, zero: u8, into: &mut Vec<u8>) {
    for run in places.chunk_by(|a, b| *a != OUTSIDE && a.wrapping_add(depth) == *b) {
        match run[0] {
            OUTSIDE => into.resize(into.len() + depth, zero),
            place => into.extend_from_slice(&input[place..][..run.len() * depth]),
        }
    }
}

/// Rows and columns of a tile.
#[derive(Clone, Copy)]
struct Tile<'a> {
    /// The first row, of the share.
    row: usize,
    /// The first of the rows that are there.
    index: usize,
    panel: usize,
    rows: Rows<'a>,
}

impl Share<'_, '_> {
    /// Some rows with all columns.
    #[inline(always)]
    fn block<D: Dot>(&mut self, dot: D, range: Range<usize>, rows: Rows<'_>) {
        let Packed { width, columns, .. } = *self.product.packed;
        for panel in 0..columns.div_ceil(width) {
            let is_narrow = columns - panel * width <= D::LANES;
            let mut row = range.start;
            while row < range.end {
                let tile = Tile { row, index: row - range.start, panel, rows };
                let left = range.end - row;
                row += if is_narrow {
                    self.tiles::<D, 1>(dot, tile, left)
                } else {
                    self.tiles::<D, 2>(dot, tile, left)
                };
            }
        }
    }

    /// As many rows as are in registers, of `N` vectors; returns how many.
    #[inline(always)]
    fn tiles<D: Dot, const N: usize>(&mut self, dot: D, tile: Tile<'_>, left: usize) -> usize {
        // Constant conditions: what a processor does not need is not compiled for it.
        if const { D::ROWS >= 12 } {
            match left {
                12.. => return self.tile::<D, 12, N>(dot, tile),
                6.. => return self.tile::<D, 6, N>(dot, tile),
                _ => {}
            }
        }
        match left {
            4.. => self.tile::<D, 4, N>(dot, tile),
            2.. => self.tile::<D, 2, N>(dot, tile),
            _ => self.tile::<D, 1, N>(dot, tile),
        }
    }

    /// `R` rows with the columns of a panel, which are `N` vectors; returns `R`.
    #[inline(always)]
    fn tile<D: Dot, const R: usize, const N: usize>(&mut self, dot: D, tile: Tile<'_>) -> usize {
        let Product { packed, finish, stride, first_column, .. } = *self.product;
        let (width, column) = (packed.width, tile.panel * packed.width);
        let used = (N * D::LANES).min(packed.columns - column);
        let lines = tile.rows.size / 4;
        let panel = &packed.panels[tile.panel * lines * width / LINE..][..lines * width / LINE];
        let lines: &[[D::Line; 2]] = pairs::<D>(bytemuck::cast_slice(panel));
        let mut rows: [&[[u8; 4]]; R] = [&[]; R];
        for (index, row) in rows.iter_mut().enumerate() {
            *row = tile.rows.row(tile.index + index);
        }
        let target = Target { start: tile.row * stride + first_column + column, stride, used };
        let (row, count) = (self.first + tile.row, N * D::LANES);
        if packed.piece < packed.numbers() {
            let mut totals = [[0.0; WIDEST]; R];
            let (step, padded) = ((packed.piece / 4).max(1), packed.padded());
            for (piece, lines) in lines.chunks(step).enumerate() {
                let part = rows.map(|row| &row[piece * step..][..lines.len()]);
                let found = spread::<D, R, N>(accumulate::<D, R, N>(dot, part, lines));
                let own = &packed.totals[piece * padded + column..][..count];
                let sums = Sums { row, column, rows: &found, count };
                finish.add(piece, own, &sums, &mut totals);
            }
            finish.totals((row, column), &totals, &mut self.out, target);
            return R;
        }
        let mut found = spread::<D, R, N>(accumulate::<D, R, N>(dot, rows, lines));
        if packed.zero != 0 {
            for (index, (sums, bytes)) in found.iter_mut().zip(rows).enumerate() {
                // `Σ (a - zero)` takes part as often as the columns' zero point says.
                let all: i32 = bytes.as_flattened().iter().map(|byte| i32::from(*byte)).sum();
                let less = finish.zero(row + index).wrapping_mul(packed.numbers() as i32);
                let all = all.wrapping_sub(less).wrapping_mul(packed.zero);
                sums.iter_mut().for_each(|sum| *sum = sum.wrapping_sub(all));
            }
        }
        finish.sums(&Sums { row, column, rows: &found, count }, &mut self.out, target);
        R
    }
}

/// The sums of vectors as numbers.
#[inline(always)]
fn spread<D: Dot, const R: usize, const N: usize>(sums: [[D::Sums; N]; R]) -> [[i32; WIDEST]; R] {
    let mut rows = [[0; WIDEST]; R];
    for (row, sums) in rows.iter_mut().zip(&sums) {
        let sums: &[i32] = bytemuck::cast_slice(sums);
        row[..N * D::LANES].copy_from_slice(sums);
    }
    rows
}

/// Lines of a panel as two vectors each.
#[inline(always)]
fn pairs<D: Dot>(bytes: &[i8]) -> &[[D::Line; 2]] {
    bytemuck::cast_slice::<i8, D::Line>(bytes).as_chunks::<2>().0
}

/// Lines that are added without a look at the bounds.
const UNROLL: usize = 4;

/// `Σ rows[r][k] * lines[k]`
#[inline(always)]
fn accumulate<D: Dot, const R: usize, const N: usize>(
    dot: D,
    rows: [&[[u8; 4]]; R],
    lines: &[[D::Line; 2]],
) -> [[D::Sums; N]; R] {
    let mut sums = [[dot.zero(); N]; R];
    let (blocks, rest) = lines.as_chunks::<UNROLL>();
    for (index, block) in blocks.iter().enumerate() {
        let mut factors = [&[[0; 4]; UNROLL]; R];
        for (factors, row) in factors.iter_mut().zip(rows) {
            *factors = &row.as_chunks().0[index];
        }
        for k in 0..UNROLL {
            let mut line = [[0; 4]; R];
            line.iter_mut().zip(factors).for_each(|(own, factors)| *own = factors[k]);
            sums = add_line(dot, sums, line, block[k]);
        }
    }
    let done = blocks.len() * UNROLL;
    for (k, line) in rest.iter().enumerate() {
        let mut factors = [[0; 4]; R];
        factors.iter_mut().zip(rows).for_each(|(own, row)| *own = row[done + k]);
        sums = add_line(dot, sums, factors, *line);
    }
    sums
}

#[inline(always)]
fn add_line<D: Dot, const R: usize, const N: usize>(
    dot: D,
    mut sums: [[D::Sums; N]; R],
    factors: [[u8; 4]; R],
    line: [D::Line; 2],
) -> [[D::Sums; N]; R] {
    for (sums, four) in sums.iter_mut().zip(factors) {
        for (sum, line) in sums.iter_mut().zip(line) {
            *sum = dot.dot(*sum, four, line);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums less zero points, as they are: all fit float32 here.
    struct Exact<'a>(&'a Packed, i32);

    impl Finish for Exact<'_> {
        fn zero(&self, _row: usize) -> i32 {
            self.1
        }

        fn sums(&self, sums: &Sums<'_>, out: &mut Out<'_>, target: Target) {
            let Out::Floats(out) = out else { panic!("floats") };
            let own = &self.0.totals()[sums.column..];
            for (index, row) in sums.rows.iter().enumerate() {
                let out = &mut out[target.start + index * target.stride..][..target.used];
                for ((out, sum), own) in out.iter_mut().zip(row).zip(own) {
                    *out = (sum - self.1 * own) as f32;
                }
            }
        }
    }

    #[test]
    fn sums_of_all_sizes_and_zero_points_are_exact() {
        for (rows, columns, taps, depth, zero) in [
            (1, 1, 1, 1, 0),
            (13, 33, 1, 20, 3),
            (29, 48, 1, 7, 0),
            (97, 16, 9, 3, -2),
            (5, 70, 4, 16, 0),
        ] {
            let input: Vec<u8> = (0..rows * taps * depth).map(|i| (i * 31 + 7) as u8).collect();
            let weight =
                |column: usize, tap: usize, k: usize| (column * 13 + tap * 101 + k * 57) as i8;
            let packed = Packed::new(columns, (taps, depth), (0, zero), weight);
            // The last tap of the first row lies outside.
            let place = |row: usize, places: &mut Vec<usize>| {
                places.extend((0..taps).map(|tap| match (row, tap) {
                    (0, tap) if tap > 0 && tap + 1 == taps => OUTSIDE,
                    _ => (row * taps + tap) * depth,
                }));
            };
            let finish = Exact(&packed, 77);
            let mut out = vec![0.0; rows * columns];
            let product = Product {
                packed: &packed,
                input: &input,
                rows,
                place: &place,
                dense: (taps == 1).then_some(depth),
                finish: &finish,
                stride: columns,
                first_column: 0,
            };
            product.run(Out::Floats(&mut out), 1);
            for (index, found) in out.iter().enumerate() {
                let (row, column) = (index / columns, index % columns);
                let mut sum = 0;
                for number in 0..taps * depth {
                    let (tap, k) = (number / depth, number % depth);
                    let outside = row == 0 && tap > 0 && tap + 1 == taps;
                    let a = if outside {
                        0
                    } else {
                        i32::from(input[row * taps * depth + number]) - 77
                    };
                    sum += a * (i32::from(weight(column, tap, k)) - zero);
                }
                assert_eq!(*found, sum as f32, "row {row}, column {column} of {columns}");
            }
        }
    }
}
