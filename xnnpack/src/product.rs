//! Products of matrices: rows that lie somewhere in the input with columns that
//! were packed when the graph was loaded.
//!
//! Convolutions, fully connected layers and batch products are all this. Rows
//! are made of *taps* (the pixels under a kernel), each of which is a slice of
//! the input or, outside the image, nothing. Integers have [`crate::dot`].

use pulp::Simd;
use rayon::prelude::*;

/// Rows whose sums are in registers, of two vectors each, where there are 32.
const ROWS: usize = 12;
/// The same where there are 16.
const FEW_ROWS: usize = 6;
/// Most columns in a panel: two vectors of the widest kind.
const WIDEST: usize = 32;
/// Bytes of rows that meet all columns, to lie in the second cache.
const BLOCK: usize = 256 * 1024;
/// Multiplications that are worth a thread.
const WORTH_A_THREAD: usize = 1 << 17;

/// Columns in panels, each line of which is read as vectors.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    panels: Vec<f32>,
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
        let mut packed = Packed { panels: Vec::new(), columns, taps, depth, width: width() };
        packed.refill(element);
        packed
    }

    /// Packs other columns of the same number and depth.
    pub fn refill(&mut self, element: impl Fn(usize, usize, usize) -> f32) {
        let Packed { columns, taps, depth, width, .. } = *self;
        let size = taps * depth * width;
        self.panels.resize(columns.div_ceil(width) * size, 0.0);
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

/// A product to be made.
pub(crate) struct Product<'a> {
    pub packed: &'a Packed,
    pub input: &'a [f32],
    pub rows: usize,
    pub place: Place<'a>,
    /// Taps that are mostly neighbours in memory, such as those of a line of a kernel.
    pub line: usize,
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
        let Packed { taps, depth, width, .. } = *self.product.packed;
        debug_assert_eq!(width, (2 * S::F32_LANES).min(WIDEST));
        let count = self.out.len().div_ceil(self.product.stride);
        let count = count.min(self.product.rows - self.first);
        let block = (BLOCK / 4 / (taps * depth).max(1) / ROWS * ROWS).clamp(ROWS, 96);
        let zeros = vec![0.0; depth];
        let input = self.product.input;
        let mut places = Vec::with_capacity(block * taps);
        let mut short = Short::default();
        for start in (0..count).step_by(block) {
            let rows = start..count.min(start + block);
            places.clear();
            for row in rows.clone() {
                (self.product.place)(self.first + row, &mut places);
            }
            if taps == 1 || depth >= SHORT {
                let taken = Taken { input, places: &places, zeros: &zeros, taps, depth };
                self.block(simd, rows, taken);
                continue;
            }
            let mut row = rows.start;
            while row < rows.end {
                let rest = &places[(row - rows.start) * taps..];
                let line = self.product.line;
                let (count, taken) = short.take(input, rest, &zeros, (taps, depth, line));
                self.block(simd, row..row + count, taken);
                row += count;
            }
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
    /// The first rows of `places` and their number: as they lie in the input,
    /// where each line of taps is one piece of it, and else copied.
    fn take<'a>(
        &'a mut self,
        input: &'a [f32],
        places: &[usize],
        zeros: &[f32],
        (taps, depth, line): (usize, usize, usize),
    ) -> (usize, Taken<'a>) {
        let line = if line > 0 && taps.is_multiple_of(line) { line } else { 1 };
        let neighbours = |pair: &[usize]| pair[0] != OUTSIDE && pair[0] + depth == pair[1];
        let is_whole = |row: &[usize]| {
            let mut lines = row.chunks_exact(line);
            lines.all(|line| line[0] != OUTSIDE && line.windows(2).all(neighbours))
        };
        let mut rows = places.chunks_exact(taps).map(is_whole).take_while({
            let first = places.get(..taps).is_some_and(is_whole);
            move |whole| *whole == first
        });
        let first = rows.next().unwrap_or_default();
        let count = 1 + rows.count();
        let places = &places[..count * taps];
        self.places.clear();
        if first && line > 1 {
            self.places.extend(places.iter().step_by(line));
            let taken = Taken {
                input,
                places: &self.places,
                zeros: &[],
                taps: taps / line,
                depth: line * depth,
            };
            return (count, taken);
        }
        self.copied.clear();
        // Neighbours under the kernel are mostly neighbours in memory.
        for run in places.chunk_by(|a, b| *a != OUTSIDE && a.wrapping_add(depth) == *b) {
            match run[0] {
                OUTSIDE => self.copied.extend_from_slice(zeros),
                place => self.copied.extend_from_slice(&input[place..][..run.len() * depth]),
            }
        }
        let depth = taps * depth;
        self.places.extend((0..count).map(|row| row * depth));
        let taken = Taken { input: &self.copied, places: &self.places, zeros: &[], taps: 1, depth };
        (count, taken)
    }
}

impl Share<'_, '_> {
    /// Some rows with all columns.
    #[inline(always)]
    fn block<S: Simd>(&mut self, simd: S, rows: std::ops::Range<usize>, taken: Taken<'_>) {
        let Packed { width, columns, .. } = *self.product.packed;
        let size = taken.taps * taken.depth * width;
        for panel in 0..columns.div_ceil(width) {
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
        // A loop: what `from_fn` calls is not always made part of it.
        let mut rows: [&[f32]; R] = [&[]; R];
        for (row, places) in rows.iter_mut().zip(self.places.chunks_exact(self.taps)) {
            *row = match places[tap] {
                OUTSIDE => &self.zeros[..self.depth],
                place => &self.input[place..][..self.depth],
            };
        }
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
    let mut sums = [start; R];
    for tap in 0..taps {
        let rows: [&[f32]; R] = taken.rows(tap);
        sums = accumulate(simd, sums, rows, &lines[tap * depth..][..depth]);
    }
    let (low, high) = (simd.splat_f32s(low), simd.splat_f32s(high));
    for (i, sums) in sums.into_iter().enumerate() {
        let sums = sums.map(|sum| simd.min_f32s(simd.max_f32s(sum, low), high));
        if used == N * S::F32_LANES {
            let out = &mut out[i * stride..][..N * S::F32_LANES];
            S::as_mut_simd_f32s(out).0.copy_from_slice(&sums);
            continue;
        }
        let (whole, rest) = S::as_mut_simd_f32s(&mut out[i * stride..][..used]);
        let count = whole.len().min(N);
        whole[..count].copy_from_slice(&sums[..count]);
        if count < N {
            simd.partial_store_f32s(rest, sums[count]);
        }
    }
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
        for (factors, row) in factors.iter_mut().zip(rows) {
            *factors = &row.as_chunks().0[index];
        }
        for k in 0..UNROLL {
            let mut line = [0.0; R];
            line.iter_mut().zip(factors).for_each(|(own, factors)| *own = factors[k]);
            sums = add_line(simd, sums, line, block[k]);
        }
    }
    let done = blocks.len() * UNROLL;
    for (k, line) in rest.iter().enumerate() {
        let mut factors = [0.0; R];
        factors.iter_mut().zip(rows).for_each(|(own, row)| *own = row[done + k]);
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
