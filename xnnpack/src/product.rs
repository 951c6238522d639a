//! Products of matrices: rows that lie somewhere in the input with columns that
//! were packed when the graph was loaded.
//!
//! Convolutions, fully connected layers and batch products are all this. Rows
//! are made of *taps* (the pixels under a kernel), each of which is a slice of
//! the input or, outside the image, nothing. Integers have [`crate::dot`].

use crate::buffer::Buffer;
use crate::unroll::each_row;
use pulp::Simd;
use rayon::prelude::*;
use std::ops::Range;

/// Rows whose sums are in registers, of two vectors each, where there are 32.
const ROWS: usize = 12;
/// The same where there are 16.
const FEW_ROWS: usize = 6;
/// Most columns in a panel: two vectors of the widest kind.
const WIDEST: usize = 32;
/// Panels that a single row meets at a time: one stream of lines alone would leave the
/// memory idle.
const ABREAST: usize = 4;
/// Bytes of rows that meet all columns, to lie in the second cache.
const BLOCK: usize = 256 * 1024;
/// Bytes of columns that lie in the first cache: then a few rows meet all of them, and
/// what is stored lies side by side.
const FEW_COLUMNS: usize = 32 * 1024;
/// Multiplications that are worth a thread.
const WORTH_A_THREAD: usize = 1 << 17;

/// Columns in panels, each line of which is read as vectors.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    panels: Buffer<f32>,
    pub columns: usize,
    pub taps: usize,
    /// Numbers in a tap.
    pub depth: usize,
    width: usize,
}

/// Columns in a panel on this processor.
fn width() -> usize {
    struct Width;
    impl pulp::WithSimd for Width {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _simd: S) -> usize {
            (2 * S::F32_LANES).min(WIDEST)
        }
    }
    pulp::Arch::new().dispatch(Width)
}

/// Runs `work` with the vectors of this processor; it must be `inline(always)`.
#[inline(always)]
pub(crate) fn vectors<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

impl Packed {
    /// Packs what `element(column, tap, k)` gives.
    pub fn new(
        columns: usize,
        (taps, depth): (usize, usize),
        element: impl Fn(usize, usize, usize) -> f32,
    ) -> Self {
        let mut packed = Packed { panels: Buffer::new(), columns, taps, depth, width: width() };
        packed.refill(element);
        packed
    }

    /// Packs other columns of the same number and depth.
    pub fn refill(&mut self, element: impl Fn(usize, usize, usize) -> f32) {
        let Packed { columns, taps, depth, width, .. } = *self;
        let size = taps * depth * width;
        self.panels.set_len(columns.div_ceil(width) * size);
        if size == 0 {
            return;
        }
        for (index, panel) in self.panels.chunks_exact_mut(size).enumerate() {
            for (line, numbers) in panel.chunks_exact_mut(width).enumerate() {
                let (tap, k) = (line / depth, line % depth);
                for (offset, number) in numbers.iter_mut().enumerate() {
                    let column = index * width + offset;
                    *number = if column < columns { element(column, tap, k) } else { 0.0 };
                }
            }
        }
    }
}

/// What becomes of the sums of products: with a bias and bounds they are stored.
#[derive(Clone, Copy)]
pub(crate) struct Floats<'a> {
    /// A number per column; empty for none.
    pub bias: &'a [f32],
    pub clamp: (f32, f32),
}

impl Floats<'_> {
    /// Adds the bias of the columns from `column` on, and keeps the bounds.
    #[inline(always)]
    pub fn finish(&self, column: usize, out: &mut [f32]) {
        if let Some(bias) = self.bias.get(column..column + out.len()) {
            out.iter_mut().zip(bias).for_each(|(out, bias)| *out += bias);
        }
        let (low, high) = self.clamp;
        out.iter_mut().for_each(|out| *out = out.max(low).min(high));
    }
}

/// Adds where the taps of a row begin in the input, or [`OUTSIDE`]. It is asked
/// for rows one after the other, and may look at what it added for the last.
pub(crate) type Place<'a> = &'a (dyn Fn(usize, &mut Vec<usize>) + Sync);

/// Rows whose taps are lines of neighbours in memory, such as those of a kernel that
/// lies in the image as a whole.
#[derive(Clone, Copy)]
pub(crate) struct Lines<'a> {
    /// Taps of a line.
    pub taps: usize,
    /// From where a row's lines begin to where the next row's do.
    pub step: usize,
    /// Adds where the lines of a row begin, and returns how many rows from this one on
    /// are so; 0 if this one is not.
    pub whole: &'a (dyn Fn(usize, &mut Vec<usize>) -> usize + Sync),
}

/// A product to be made.
pub(crate) struct Product<'a> {
    pub packed: &'a Packed,
    pub input: &'a [f32],
    pub rows: usize,
    pub place: Place<'a>,
    /// Distance of rows that lie one behind the other, of one tap each; then
    /// nobody is asked for places.
    pub dense: Option<usize>,
    /// Where lines of taps are neighbours in memory, if they are in this product.
    pub lines: Option<Lines<'a>>,
    pub sums: Floats<'a>,
    /// Distance of rows in the output.
    pub stride: usize,
    /// The first column in the output.
    pub first_column: usize,
}

impl Product<'_> {
    /// Makes it, with up to `threads` threads.
    pub fn run(&self, out: &mut [f32], threads: usize) {
        if self.rows == 0 || self.packed.columns == 0 {
            return;
        }
        let depth = self.packed.taps * self.packed.depth;
        let work = self.rows.saturating_mul(self.packed.columns).saturating_mul(depth);
        let threads = threads.min(work / WORTH_A_THREAD).max(1);
        let arch = pulp::Arch::new();
        if threads == 1 {
            return arch.dispatch(Share { product: self, first: 0, out });
        }
        let share = self.rows.div_ceil(threads).next_multiple_of(ROWS);
        out.par_chunks_mut(share * self.stride).enumerate().for_each(|(index, out)| {
            if index * share < self.rows {
                arch.dispatch(Share { product: self, first: index * share, out });
            }
        });
    }
}

/// Some rows of a product.
struct Share<'a, 'p> {
    product: &'a Product<'p>,
    first: usize,
    out: &'a mut [f32],
}

/// No place in the input.
pub(crate) const OUTSIDE: usize = usize::MAX;

/// Numbers in a tap below which the taps of a row are taken together: loops
/// over a few numbers cost more than a copy.
const SHORT: usize = 16;

impl pulp::WithSimd for Share<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Packed { columns, taps, depth, width, .. } = *self.product.packed;
        debug_assert_eq!(width, (2 * S::F32_LANES).min(WIDEST));
        let count = self.out.len().div_ceil(self.product.stride);
        let count = count.min(self.product.rows - self.first);
        let several = columns > width;
        let block = if several && self.product.packed.panels.len() * 4 <= FEW_COLUMNS {
            ROWS
        } else {
            (BLOCK / 4 / (taps * depth).max(1) / ROWS * ROWS).clamp(ROWS, 96)
        };
        let zeros = vec![0.0; depth];
        let input = self.product.input;
        let mut places = Vec::with_capacity(block * taps);
        let mut short = Short::default();
        for start in (0..count).step_by(block) {
            let rows = start..count.min(start + block);
            places.clear();
            let in_input = self.first + rows.start..self.first + rows.end;
            if taps > 1 && depth < SHORT {
                let mut left = in_input;
                while !left.is_empty() {
                    let (count, taken) = short.take(self.product, left.clone(), &zeros);
                    let first = left.start - self.first;
                    self.block(simd, first..first + count, taken);
                    left.start += count;
                }
                continue;
            }
            match self.product.dense {
                // Written down all the same: what the compiler knows of the places
                // it would compute again and again.
                Some(distance) => places.extend(in_input.map(|row| row * distance)),
                None => in_input.for_each(|row| (self.product.place)(row, &mut places)),
            }
            let taken = Taken { input, places: &places, zeros: &zeros, taps, depth };
            self.block(simd, rows, taken);
        }
    }
}

/// Rows of short taps, taken together.
#[derive(Default)]
struct Short {
    copied: Vec<f32>,
    places: Vec<usize>,
}

impl Short {
    /// The first of `rows` and their number: as they lie in the input, where their lines
    /// of taps do, and else copied.
    fn take<'a>(
        &'a mut self,
        product: &Product<'a>,
        rows: Range<usize>,
        zeros: &[f32],
    ) -> (usize, Taken<'a>) {
        let Packed { taps, depth, .. } = *product.packed;
        let whole = |row: usize, places: &mut Vec<usize>| match product.lines {
            Some(lines) => (lines.whole)(row, places),
            None => 0,
        };
        self.places.clear();
        let count = whole(rows.start, &mut self.places).min(rows.len());
        if let (1.., Some(lines)) = (count, product.lines) {
            let first = self.places.len();
            for row in 1..count {
                for line in 0..first {
                    self.places.push(self.places[line] + row * lines.step);
                }
            }
            let (taps, depth) = (taps / lines.taps, depth * lines.taps);
            let input = product.input;
            return (count, Taken { input, places: &self.places, zeros: &[], taps, depth });
        }
        let mut count = 0;
        for row in rows {
            let before = self.places.len();
            if count > 0 && whole(row, &mut self.places) > 0 {
                self.places.truncate(before);
                break;
            }
            (product.place)(row, &mut self.places);
            count += 1;
        }
        self.copied.clear();
        // Neighbours under the kernel are mostly neighbours in memory.
        for run in self.places.chunk_by(|a, b| *a != OUTSIDE && a.wrapping_add(depth) == *b) {
            match run[0] {
                OUTSIDE => self.copied.extend_from_slice(zeros),
                place => {
                    let run = &product.input[place..][..run.len() * depth];
                    self.copied.extend_from_slice(run);
                }
            }
        }
        let depth = taps * depth;
        self.places.clear();
        self.places.extend((0..count).map(|row| row * depth));
        let taken = Taken { input: &self.copied, places: &self.places, zeros: &[], taps: 1, depth };
        (count, taken)
    }
}

impl Share<'_, '_> {
    /// Some rows with all columns.
    #[inline(always)]
    fn block<S: Simd>(&mut self, simd: S, rows: Range<usize>, taken: Taken<'_>) {
        let Packed { width, columns, .. } = *self.product.packed;
        let size = taken.taps * taken.depth * width;
        let met = match rows.len() {
            1 => self.abreast(simd, rows.start, taken),
            _ => 0,
        };
        for panel in met..columns.div_ceil(width) {
            let lines = &self.product.packed.panels[panel * size..][..size];
            let is_narrow = columns - panel * width <= S::F32_LANES;
            let mut row = rows.start;
            while row < rows.end {
                let places = &taken.places[(row - rows.start) * taken.taps..];
                let tile = Tile { row, panel, taken: Taken { places, ..taken } };
                row += if is_narrow {
                    self.tiles::<S, 1>(simd, tile, lines, rows.end - row)
                } else {
                    self.tiles::<S, 2>(simd, tile, lines, rows.end - row)
                };
            }
        }
    }

    /// A row of one tap with as many whole panels as can be met [`ABREAST`]; returns how
    /// many.
    #[inline(always)]
    fn abreast<S: Simd>(&mut self, simd: S, row: usize, taken: Taken<'_>) -> usize {
        let Packed { panels, width, columns, .. } = self.product.packed;
        let Product { sums, stride, first_column, .. } = *self.product;
        let size = taken.depth * width;
        if taken.taps != 1 || size == 0 {
            return 0;
        }
        let [factors] = taken.rows::<1>(0);
        let out = &mut self.out[row * stride + first_column..][..*columns];
        let groups = out.chunks_exact_mut(ABREAST * width).zip(panels.chunks_exact(ABREAST * size));
        let bounds = (simd.splat_f32s(sums.clamp.0), simd.splat_f32s(sums.clamp.1));
        let mut met = 0;
        for (out, panels) in groups {
            let mut panels = panels.chunks_exact(size).map(
                #[inline(always)]
                |lines| S::as_simd_f32s(lines).0.as_chunks::<2>().0,
            );
            let panels: [&[[S::f32s; 2]]; ABREAST] =
                std::array::from_fn(|_| panels.next().unwrap_or_default());
            let mut totals = [[[simd.splat_f32s(0.0); 2]; 1]; ABREAST];
            for (totals, column) in totals.iter_mut().zip((met * width..).step_by(*width)) {
                *totals = [start(simd, sums.bias.get(column..column + width))];
            }
            for (k, factor) in factors.iter().enumerate() {
                for (totals, lines) in totals.iter_mut().zip(panels) {
                    *totals = add_line(simd, *totals, [*factor], lines[k]);
                }
            }
            for (out, [totals]) in out.chunks_exact_mut(*width).zip(totals) {
                let totals = clamped::<S, 2>(simd, totals, bounds);
                S::as_mut_simd_f32s(out).0.copy_from_slice(&totals);
            }
            met += ABREAST;
        }
        met
    }

    /// As many rows as are in registers, of `N` vectors; returns how many.
    #[inline(always)]
    fn tiles<S: Simd, const N: usize>(
        &mut self,
        simd: S,
        tile: Tile<'_>,
        lines: &[f32],
        left: usize,
    ) -> usize {
        // Constant conditions: what a processor does not need is not compiled for it.
        if const { S::F32_LANES == 1 } {
            return self.tile::<S, 1, N>(simd, tile, lines);
        }
        if const { S::REGISTER_COUNT >= 32 || N == 1 } && left >= ROWS {
            return self.tile::<S, ROWS, N>(simd, tile, lines);
        }
        match left {
            FEW_ROWS.. => self.tile::<S, FEW_ROWS, N>(simd, tile, lines),
            3.. => self.tile::<S, 3, N>(simd, tile, lines),
            _ => self.tile::<S, 1, N>(simd, tile, lines),
        }
    }

    /// `R` rows with the columns of a panel, which are `N` vectors; returns `R`.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const N: usize>(
        &mut self,
        simd: S,
        tile: Tile<'_>,
        lines: &[f32],
    ) -> usize {
        let Packed { width, columns, .. } = *self.product.packed;
        let Product { sums, stride, first_column, .. } = *self.product;
        let lines = S::as_simd_f32s(lines).0.as_chunks::<2>().0;
        let column = tile.panel * width;
        let used = width.min(columns - column);
        let start = tile.row * stride + first_column + column;
        let bias = sums.bias.get(column..column + used);
        let out = &mut self.out[start..];
        floats::<S, R, N>(simd, tile.taken, lines, (bias, sums.clamp), (out, stride, used));
        R
    }
}

/// Which rows and columns.
#[derive(Clone, Copy)]
struct Tile<'a> {
    /// The first row, of the share.
    row: usize,
    panel: usize,
    taken: Taken<'a>,
}

/// Rows of the input: where their taps begin.
#[derive(Clone, Copy)]
struct Taken<'a> {
    input: &'a [f32],
    places: &'a [usize],
    zeros: &'a [f32],
    taps: usize,
    depth: usize,
}

impl<'a> Taken<'a> {
    /// What lies under a tap of the first `R` rows.
    #[inline(always)]
    fn rows<const R: usize>(&self, tap: usize) -> [&'a [f32]; R] {
        let mut rows: [&[f32]; R] = [&[]; R];
        each_row!(R, row => {
            rows[row] = match self.places[row * self.taps + tap] {
                OUTSIDE => &self.zeros[..self.depth],
                place => &self.input[place..][..self.depth],
            };
        });
        rows
    }
}

/// `R` rows with `N` vectors of columns, from the bias to the store of those that are used.
#[inline(always)]
fn floats<S: Simd, const R: usize, const N: usize>(
    simd: S,
    taken: Taken<'_>,
    lines: &[[S::f32s; 2]],
    (bias, (low, high)): (Option<&[f32]>, (f32, f32)),
    (out, stride, used): (&mut [f32], usize, usize),
) {
    let Taken { taps, depth, .. } = taken;
    let mut sums = [start(simd, bias); R];
    for tap in 0..taps {
        let rows: [&[f32]; R] = taken.rows(tap);
        sums = accumulate(simd, sums, rows, &lines[tap * depth..][..depth]);
    }
    let bounds = (simd.splat_f32s(low), simd.splat_f32s(high));
    if used == N * S::F32_LANES {
        each_row!(R, row => {
            let out = &mut out[row * stride..][..N * S::F32_LANES];
            S::as_mut_simd_f32s(out).0.copy_from_slice(&clamped::<S, N>(simd, sums[row], bounds));
        });
    } else {
        for (out, sums) in out.chunks_mut(stride).zip(sums) {
            let (whole, rest) = S::as_mut_simd_f32s(&mut out[..used]);
            let count = whole.len().min(N);
            let sums = clamped::<S, N>(simd, sums, bounds);
            whole[..count].copy_from_slice(&sums[..count]);
            if count < N {
                simd.partial_store_f32s(rest, sums[count]);
            }
        }
    }
}

/// What the sums of `N` vectors of columns begin with: the bias of those that there are.
#[inline(always)]
fn start<S: Simd, const N: usize>(simd: S, bias: Option<&[f32]>) -> [S::f32s; N] {
    let mut start = [simd.splat_f32s(0.0); N];
    if let Some(bias) = bias {
        let (whole, rest) = S::as_simd_f32s(bias);
        for (at, start) in start.iter_mut().enumerate() {
            *start = match whole.get(at) {
                Some(bias) => *bias,
                None if at == whole.len() => simd.partial_load_f32s(rest),
                None => *start,
            };
        }
    }
    start
}

#[inline(always)]
fn clamped<S: Simd, const N: usize>(
    simd: S,
    mut sums: [S::f32s; N],
    (low, high): (S::f32s, S::f32s),
) -> [S::f32s; N] {
    for sum in &mut sums {
        *sum = simd.min_f32s(simd.max_f32s(*sum, low), high);
    }
    sums
}

/// Lines that are added without a look at the bounds.
const UNROLL: usize = 8;

/// `sums[r] += Σ rows[r][k] * lines[k]`. The sums are taken and given back by
/// value: whoever holds their address keeps them out of the registers.
#[inline(always)]
fn accumulate<S: Simd, const R: usize, const N: usize>(
    simd: S,
    mut sums: [[S::f32s; N]; R],
    rows: [&[f32]; R],
    lines: &[[S::f32s; 2]],
) -> [[S::f32s; N]; R] {
    let (blocks, rest) = lines.as_chunks::<UNROLL>();
    for (index, block) in blocks.iter().enumerate() {
        let mut factors = [&[0.0; UNROLL]; R];
        each_row!(R, row => {
            factors[row] = &rows[row].as_chunks().0[index];
        });
        for k in 0..UNROLL {
            let mut line = [0.0; R];
            each_row!(R, row => {
                line[row] = factors[row][k];
            });
            sums = add_line(simd, sums, line, block[k]);
        }
    }
    let done = blocks.len() * UNROLL;
    for (k, line) in rest.iter().enumerate() {
        let mut factors = [0.0; R];
        each_row!(R, row => {
            factors[row] = rows[row][done + k];
        });
        sums = add_line(simd, sums, factors, *line);
    }
    sums
}

/// `sums[r] += factors[r] * line`
#[inline(always)]
fn add_line<S: Simd, const R: usize, const N: usize>(
    simd: S,
    mut sums: [[S::f32s; N]; R],
    factors: [f32; R],
    line: [S::f32s; 2],
) -> [[S::f32s; N]; R] {
    for (sums, factor) in sums.iter_mut().zip(factors) {
        let factor = simd.splat_f32s(factor);
        for (sum, value) in sums.iter_mut().zip(line) {
            *sum = simd.mul_add_f32s(factor, value, *sum);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919) % 1013) as f32 / 97.0 - 5.0).collect()
    }

    /// The product of a row, `rows` times.
    fn product((depth, columns): (usize, usize), bias: &[f32], rows: usize) -> Vec<f32> {
        let (input, elements) = (numbers(depth), numbers(depth * columns));
        let packed =
            Packed::new(columns, (1, depth), |column, _, k| elements[k * columns + column]);
        let mut out = vec![f32::NAN; rows * columns];
        let product = Product {
            packed: &packed,
            input: &input,
            rows,
            place: &|_, places| places.push(0),
            dense: Some(0),
            lines: None,
            sums: Floats { bias, clamp: (-90.0, 90.0) },
            stride: columns,
            first_column: 0,
        };
        product.run(&mut out, 1);
        out
    }

    #[test]
    fn a_row_alone_has_the_sums_that_it_has_among_others() {
        for size in [(7, 300), (64, 128), (1, 129), (33, 1000), (0, 200), (40, 127), (12, 20)] {
            for bias in [vec![], numbers(size.1)] {
                let alone = product(size, &bias, 1);
                let both = product(size, &bias, 2);
                assert!(alone.iter().all(|sum| sum.abs() <= 90.0), "{size:?}");
                assert_eq!([&alone[..], &alone].concat(), both, "{size:?}");
            }
        }
    }
}
