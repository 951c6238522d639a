//! Products of matrices: rows that lie somewhere in the input with columns that
//! were packed when the graph was loaded.
//!
//! Convolutions, fully connected layers and batch products are all this. Rows
//! are made of *taps* (the pixels under a kernel), each of which is a slice of
//! the input or, outside the image, nothing. Integers are multiplied as
//! float32, which is exact while sums stay below 2^24; [`Sums::PIECE`] says
//! after how many products they are taken over.

use bytemuck::Pod;
use pulp::Simd;
use rayon::prelude::*;

/// Rows whose sums are in registers, of two vectors each.
const ROWS: usize = 6;
/// Most columns in a panel: two vectors of the widest kind.
const WIDEST: usize = 32;
/// Bytes of rows that meet all columns, to lie in the second cache.
const BLOCK: usize = 96 * 1024;
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

/// What becomes of the sums of products.
pub(crate) trait Sums: Sync {
    /// What sums are added up as.
    type Total: Copy + Default + Send;
    /// What is stored.
    type Out: Pod + Send;

    /// Bias per column (none if it is empty) and bounds, if sums of float32 are
    /// stored as they are: then they never leave the vectors.
    fn floats(&self) -> Option<(&[f32], (f32, f32))> {
        None
    }

    /// Products after which sums are taken over, none for all at once.
    fn piece(&self) -> Option<usize>;

    /// Adds the sums of piece `piece` of some columns, the first of which is `column`.
    fn add(&self, piece: usize, column: usize, sums: &[f32], totals: &mut [Self::Total]);

    /// Stores the totals of a row.
    fn store(&self, row: usize, column: usize, totals: &[Self::Total], out: &mut [Self::Out]);
}

/// A product to be made.
pub(crate) struct Product<'a, S, P> {
    pub packed: &'a Packed,
    pub input: &'a [f32],
    pub rows: usize,
    /// Adds where the taps of a row begin in the input, or [`OUTSIDE`].
    pub place: P,
    pub sums: &'a S,
    /// Distance of rows in the output.
    pub stride: usize,
    /// The first column in the output.
    pub first_column: usize,
}

impl<S: Sums, P: Fn(usize, &mut Vec<usize>) + Sync> Product<'_, S, P> {
    /// Makes it, with up to `threads` threads.
    pub fn run(&self, out: &mut [S::Out], threads: usize) {
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
struct Share<'a, 'p, S: Sums, P> {
    product: &'a Product<'p, S, P>,
    first: usize,
    out: &'a mut [S::Out],
}

/// No place in the input.
pub(crate) const OUTSIDE: usize = usize::MAX;

/// Numbers in a tap below which the taps of a row are copied together: loops
/// over a few numbers cost more than the copy.
const SHORT: usize = 16;

impl<T: Sums, P: Fn(usize, &mut Vec<usize>) + Sync> pulp::WithSimd for Share<'_, '_, T, P> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Packed { taps, depth, width, .. } = *self.product.packed;
        debug_assert_eq!(width, (2 * S::F32_LANES).min(WIDEST));
        let count = self.out.len().div_ceil(self.product.stride);
        let count = count.min(self.product.rows - self.first);
        let block = (BLOCK / 4 / (taps * depth).max(1) / ROWS * ROWS).clamp(ROWS, 96);
        let zeros = vec![0.0; depth];
        let mut places = Vec::with_capacity(block * taps);
        let mut together = Vec::new();
        for start in (0..count).step_by(block) {
            let rows = start..count.min(start + block);
            places.clear();
            for row in rows.clone() {
                (self.product.place)(self.first + row, &mut places);
            }
            let input = self.product.input;
            if taps == 1 || depth >= SHORT {
                let taken = Taken { input, places: &places, zeros: &zeros, taps, depth };
                self.block(simd, rows, taken);
                continue;
            }
            together.clear();
            // Neighbours under the kernel are mostly neighbours in memory.
            for run in places.chunk_by(|a, b| *a != OUTSIDE && a.wrapping_add(depth) == *b) {
                let size = run.len() * depth;
                match run[0] {
                    OUTSIDE => together.extend_from_slice(&zeros),
                    place => together.extend_from_slice(&input[place..][..size]),
                }
            }
            places.clear();
            places.extend((0..rows.len()).map(|row| row * taps * depth));
            let depth = taps * depth;
            let taken = Taken { input: &together, places: &places, zeros: &[], taps: 1, depth };
            self.block(simd, rows, taken);
        }
    }
}

impl<T: Sums, P> Share<'_, '_, T, P> {
    /// Some rows with all columns.
    #[inline(always)]
    fn block<S: Simd>(&mut self, simd: S, rows: std::ops::Range<usize>, taken: Taken<'_>) {
        let Packed { taps, depth, width, .. } = *self.product.packed;
        let size = taps * depth * width;
        for panel in 0..self.product.packed.columns.div_ceil(width) {
            let lines = &self.product.packed.panels[panel * size..][..size];
            let mut row = rows.start;
            while row < rows.end {
                let places = &taken.places[(row - rows.start) * taken.taps..];
                let tile = Tile { row, panel, taken: Taken { places, ..taken } };
                row += match rows.end - row {
                    ROWS.. => self.tile::<S, ROWS>(simd, tile, lines),
                    4.. => self.tile::<S, 4>(simd, tile, lines),
                    2.. => self.tile::<S, 2>(simd, tile, lines),
                    _ => self.tile::<S, 1>(simd, tile, lines),
                };
            }
        }
    }

    /// `R` rows with the columns of a panel; returns `R`.
    #[inline(always)]
    fn tile<S: Simd, const R: usize>(&mut self, simd: S, tile: Tile<'_>, lines: &[f32]) -> usize {
        let Packed { width, columns, .. } = *self.product.packed;
        let Taken { input, places, zeros, taps, depth } = tile.taken;
        let Product { sums: sink, stride, first_column, .. } = *self.product;
        let lines = S::as_simd_f32s(lines).0.as_chunks::<2>().0;
        let column = tile.panel * width;
        let used = width.min(columns - column);
        let start = tile.row * stride + first_column + column;
        if let Some((bias, clamp)) = sink.floats().filter(|_| used == width) {
            let out = bytemuck::cast_slice_mut(&mut self.out[start..]);
            let bias = bias.get(column..column + width);
            let tile = tile.taken;
            floats::<S, R>(simd, tile, lines, (bias, clamp), (out, stride));
            return R;
        }
        let mut totals = [[T::Total::default(); WIDEST]; R];
        let mut add = |piece, sums: [[S::f32s; 2]; R]| {
            for (sums, totals) in sums.iter().zip(&mut totals) {
                let sums: &[f32] = bytemuck::cast_slice(sums);
                sink.add(piece, column, &sums[..used], &mut totals[..used]);
            }
        };
        let limit = sink.piece().unwrap_or(usize::MAX);
        let zero = [[simd.splat_f32s(0.0); 2]; R];
        let (mut sums, mut since, mut piece) = (zero, 0, 0);
        for tap in 0..taps {
            let rows: [&[f32]; R] = std::array::from_fn(|i| match places[i * taps + tap] {
                OUTSIDE => zeros,
                place => &input[place..][..depth],
            });
            let lines = &lines[tap * depth..][..depth];
            let mut k = 0;
            while k < depth {
                let n = (depth - k).min(limit - since);
                let rows = std::array::from_fn(|i| &rows[i][k..][..n]);
                sums = accumulate(simd, sums, rows, &lines[k..][..n]);
                k += n;
                since += n;
                if since == limit {
                    add(piece, sums);
                    (sums, since, piece) = (zero, 0, piece + 1);
                }
            }
        }
        if since > 0 || piece == 0 {
            add(piece, sums);
        }
        for (i, totals) in totals.iter().enumerate() {
            let out = &mut self.out[start + i * stride..][..used];
            sink.store(self.first + tile.row + i, column, &totals[..used], out);
        }
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

/// `R` rows with whole vectors of columns, from the bias to the store.
#[inline(always)]
fn floats<S: Simd, const R: usize>(
    simd: S,
    taken: Taken<'_>,
    lines: &[[S::f32s; 2]],
    (bias, (low, high)): (Option<&[f32]>, (f32, f32)),
    (out, stride): (&mut [f32], usize),
) {
    let Taken { input, places, zeros, taps, depth } = taken;
    let mut sums = [[simd.splat_f32s(0.0); 2]; R];
    if let Some([first, second]) = bias.map(|bias| S::as_simd_f32s(bias).0) {
        sums = [[*first, *second]; R];
    }
    for tap in 0..taps {
        let rows: [&[f32]; R] = std::array::from_fn(|i| match places[i * taps + tap] {
            OUTSIDE => zeros,
            place => &input[place..][..depth],
        });
        sums = accumulate(simd, sums, rows, &lines[tap * depth..][..depth]);
    }
    let (low, high) = (simd.splat_f32s(low), simd.splat_f32s(high));
    for (i, sums) in sums.into_iter().enumerate() {
        let out = &mut out[i * stride..][..2 * S::F32_LANES];
        for (out, sum) in S::as_mut_simd_f32s(out).0.iter_mut().zip(sums) {
            *out = simd.min_f32s(simd.max_f32s(sum, low), high);
        }
    }
}

/// Lines that are added without a look at the bounds.
const UNROLL: usize = 8;

/// `sums[r] += Σ rows[r][k] * lines[k]`. The sums are taken and given back by
/// value: whoever holds their address keeps them out of the registers.
#[inline(always)]
fn accumulate<S: Simd, const R: usize>(
    simd: S,
    mut sums: [[S::f32s; 2]; R],
    rows: [&[f32]; R],
    lines: &[[S::f32s; 2]],
) -> [[S::f32s; 2]; R] {
    let (blocks, rest) = lines.as_chunks::<UNROLL>();
    let factors: [&[[f32; UNROLL]]; R] = std::array::from_fn(|row| rows[row].as_chunks().0);
    for (index, block) in blocks.iter().enumerate() {
        let factors: [&[f32; UNROLL]; R] = std::array::from_fn(|row| &factors[row][index]);
        for k in 0..UNROLL {
            sums = add_line(simd, sums, std::array::from_fn(|row| factors[row][k]), block[k]);
        }
    }
    let done = blocks.len() * UNROLL;
    for (k, line) in rest.iter().enumerate() {
        sums = add_line(simd, sums, std::array::from_fn(|row| rows[row][done + k]), *line);
    }
    sums
}

/// `sums[r] += factors[r] * line`
#[inline(always)]
fn add_line<S: Simd, const R: usize>(
    simd: S,
    mut sums: [[S::f32s; 2]; R],
    factors: [f32; R],
    line: [S::f32s; 2],
) -> [[S::f32s; 2]; R] {
    for (sums, factor) in sums.iter_mut().zip(factors) {
        let factor = simd.splat_f32s(factor);
        for (sum, value) in sums.iter_mut().zip(line) {
            *sum = simd.mul_add_f32s(factor, value, *sum);
        }
    }
    sums
}
