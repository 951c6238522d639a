//! Products of matrices: rows that lie somewhere in the input with columns that
//! were packed when the graph was loaded.
//!
//! Convolutions, fully connected layers and batch products are all this. Rows
//! are made of *taps* (the pixels under a kernel), each of which is a slice of
//! the input or, outside the image, nothing. Integers are multiplied as
//! float32, which is exact while sums stay below 2^24; [`Sums::PIECE`] says
//! after how many products they are taken over.

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
    type Out: Copy + Send;

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
    /// Where tap `.1` of row `.0` begins in the input, none outside the image.
    pub place: P,
    pub sums: &'a S,
    /// Distance of rows in the output.
    pub stride: usize,
    /// The first column in the output.
    pub first_column: usize,
}

impl<S: Sums, P: Fn(usize, usize) -> Option<usize> + Sync> Product<'_, S, P> {
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
const OUTSIDE: usize = usize::MAX;

impl<T: Sums, P: Fn(usize, usize) -> Option<usize> + Sync> pulp::WithSimd for Share<'_, '_, T, P> {
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
        for start in (0..count).step_by(block) {
            let rows = start..count.min(start + block);
            places.clear();
            for row in rows.clone() {
                let place = |tap| (self.product.place)(self.first + row, tap).unwrap_or(OUTSIDE);
                places.extend((0..taps).map(place));
            }
            self.block(simd, rows, &places, &zeros);
        }
    }
}

impl<T: Sums, P> Share<'_, '_, T, P> {
    /// Some rows with all columns.
    #[inline(always)]
    fn block<S: Simd>(
        &mut self,
        simd: S,
        rows: std::ops::Range<usize>,
        places: &[usize],
        zeros: &[f32],
    ) {
        let Packed { taps, depth, width, .. } = *self.product.packed;
        let size = taps * depth * width;
        for panel in 0..self.product.packed.columns.div_ceil(width) {
            let lines = &self.product.packed.panels[panel * size..][..size];
            let mut row = rows.start;
            while row < rows.end {
                let places = &places[(row - rows.start) * taps..];
                let tile = Tile { row, panel, places, zeros };
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
        let Packed { taps, depth, width, columns, .. } = *self.product.packed;
        let Product { input, sums: sink, stride, first_column, .. } = *self.product;
        let lines = S::as_simd_f32s(lines).0.as_chunks::<2>().0;
        let column = tile.panel * width;
        let used = width.min(columns - column);
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
            let rows: [&[f32]; R] = std::array::from_fn(|i| match tile.places[i * taps + tap] {
                OUTSIDE => tile.zeros,
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
            let row = tile.row + i;
            let out = &mut self.out[row * stride + first_column + column..][..used];
            sink.store(self.first + row, column, &totals[..used], out);
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
    places: &'a [usize],
    zeros: &'a [f32],
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
