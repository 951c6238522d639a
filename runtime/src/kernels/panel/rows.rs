//! The left matrix: rows, interleaved in tiles that are read from first to last.

use alloc::vec::Vec;

/// Rows of the largest tile of any processor; a multiple of all others' largest.
pub(super) const MOST: usize = 8;

/// Elements behind a tile that may be read: no more than a vector has.
pub(super) const SPARE: usize = 16;

/// The left matrix; its rows are contiguous.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Rows<'a> {
    pub data: &'a [f32],
    pub count: usize,
    pub stride: usize,
    pub depth: usize,
}

impl Rows<'_> {
    /// Writes `R` rows from `row` on into `tile`, interleaved.
    #[inline(always)]
    pub(super) fn interleave<const R: usize>(&self, row: usize, tile: &mut [f32]) {
        let rows: [&[f32]; R] =
            core::array::from_fn(|i| &self.data[(row + i) * self.stride..][..self.depth]);
        for (k, factors) in tile.as_chunks_mut::<R>().0.iter_mut().enumerate() {
            for (factor, row) in factors.iter_mut().zip(rows) {
                *factor = row[k];
            }
        }
    }
}

/// How many rows the tile has that begins with `left` rows to go.
#[inline(always)]
pub(super) fn tile(left: usize, most: usize) -> usize {
    match left {
        left if left >= most => most,
        4.. => 4,
        2.. => 2,
        _ => 1,
    }
}

/// Rows of the largest tile: their sums, three vectors each, are in registers.
pub(super) fn most() -> usize {
    #[cfg(feature = "std")]
    {
        struct Registers;
        impl pulp::WithSimd for Registers {
            type Output = usize;
            #[inline(always)]
            fn with_simd<S: pulp::Simd>(self, _simd: S) -> usize {
                most_of(S::REGISTER_COUNT)
            }
        }
        pulp::Arch::new().dispatch(Registers)
    }
    #[cfg(not(feature = "std"))]
    1
}

/// The same for a number of vector registers.
#[cfg(feature = "std")]
#[inline(always)]
pub(super) const fn most_of(registers: usize) -> usize {
    if registers >= 32 { MOST } else { 4 }
}

/// A left matrix with its rows interleaved, for products that are made again and again.
#[derive(Debug)]
pub(in crate::kernels) struct Tiles {
    /// The tiles, and [`SPARE`] elements.
    data: Vec<f32>,
    count: usize,
    depth: usize,
}

impl Tiles {
    /// Parts of a product begin at multiples of this row.
    #[cfg_attr(not(feature = "std"), allow(dead_code))]
    pub const STEP: usize = MOST;

    /// Interleaves the rows of a matrix.
    pub fn of(rows: Rows<'_>) -> Self {
        let mut data = alloc::vec![0.0; rows.count * rows.depth + SPARE];
        let most = most();
        let mut row = 0;
        while row < rows.count {
            let step = tile(rows.count - row, most);
            let tile = &mut data[row * rows.depth..][..step * rows.depth];
            match step {
                8 => rows.interleave::<8>(row, tile),
                4 => rows.interleave::<4>(row, tile),
                2 => rows.interleave::<2>(row, tile),
                _ => rows.interleave::<1>(row, tile),
            }
            row += step;
        }
        Tiles { data, count: rows.count, depth: rows.depth }
    }

    /// How many rows.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Elements of a row.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The `rows` rows of the tile that begins with `row`, and [`SPARE`] elements.
    #[inline(always)]
    pub(super) fn tile(&self, row: usize, rows: usize) -> &[f32] {
        &self.data[row * self.depth..][..rows * self.depth + SPARE]
    }
}
