//! The loops of the product, for the vectors of the processor that they run on.

use super::rows::{most_of, tile};
use super::{Bias, Columns, Left, Range, Right, Rounding};
use crate::kernels::scratch::Scratch;
use crate::kernels::simd::{Step, with_step};
use pulp::Simd;

/// Elements of the panels that some rows meet in a row: half of what a usual
/// second cache holds.
const GROUP: usize = 1 << 16;

/// Rows `rows` of the product.
pub(super) fn multiply<C: Columns>(
    left: Left<'_>,
    rows: Range<usize>,
    right: Right<'_, C>,
    bias: Bias<'_>,
    (out, stride): (&mut [f32], usize),
    rounding: Rounding,
) {
    let first = rows.start;
    pulp::Arch::new().dispatch(Product { left, rows, first, right, bias, out, stride, rounding });
}

/// Where a panel is: from which column on, and how many vectors wide. The last
/// one overlaps the one before, so that all vectors are whole, unless there are
/// fewer columns than a vector has.
#[derive(Clone, Copy)]
struct Panel {
    column: usize,
    /// Columns that it has, at most `vectors` full vectors.
    columns: usize,
    vectors: usize,
}

/// Panels of two vectors for `count` columns.
#[inline(always)]
fn panel<S: Simd>(index: usize, count: usize) -> Panel {
    let (lanes, width) = (S::F32_LANES, 2 * S::F32_LANES);
    let column = index * width;
    match count - column {
        left if left >= width => Panel { column, columns: width, vectors: 2 },
        left if left > lanes && count >= width => {
            Panel { column: count - width, columns: width, vectors: 2 }
        }
        left if left > lanes => Panel { column, columns: left, vectors: 2 },
        _ if count >= lanes => Panel { column: count - lanes, columns: lanes, vectors: 1 },
        left => Panel { column, columns: left, vectors: 1 },
    }
}

/// Elements of a line of each panel but the last, or of the only one.
#[inline(always)]
fn width<S: Simd>(count: usize) -> usize {
    if count <= S::F32_LANES { S::F32_LANES } else { 2 * S::F32_LANES }
}

struct Product<'a, C> {
    left: Left<'a>,
    rows: Range<usize>,
    /// The row whose sums are the first of `out`.
    first: usize,
    right: Right<'a, C>,
    bias: Bias<'a>,
    out: &'a mut [f32],
    stride: usize,
    rounding: Rounding,
}

impl<C: Columns> pulp::WithSimd for Product<'_, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (count, depth) = (self.right.count(), self.left.depth());
        let size = depth * width::<S>(count);
        let panels = count.div_ceil(2 * S::F32_LANES);
        let group = (GROUP / size.max(1)).clamp(1, panels);
        let packed = match self.right {
            Right::Columns(_) => group * size,
            Right::Packed(_) => 0,
        };
        let mut memory = Scratch::<f32>::new(packed);
        // Rows that meet panels more than once are interleaved once.
        let interleaved = match self.left {
            Left::Tiles(_) => 0,
            Left::Rows(_) if group == panels => most_of(S::REGISTER_COUNT),
            Left::Rows(_) => self.rows.len(),
        };
        let mut factors = Scratch::<f32>::new(interleaved * depth);
        for first in (0..panels).step_by(group) {
            let group = first..panels.min(first + group);
            match self.right {
                Right::Columns(columns) => {
                    pack_group::<S, C>(columns, depth, group.clone(), &mut memory);
                    self.block::<S>(simd, group, &memory, &mut factors);
                }
                Right::Packed(packed) => {
                    self.block::<S>(simd, group, &packed.data[first * size..], &mut factors);
                }
            }
        }
    }
}

impl<C: Columns> Product<'_, C> {
    /// All rows with some panels, which are in `memory`.
    #[inline(always)]
    fn block<S: Simd>(
        &mut self,
        simd: S,
        panels: Range<usize>,
        memory: &[f32],
        factors: &mut [f32],
    ) {
        let most = most_of(S::REGISTER_COUNT);
        let mut row = self.rows.start;
        while row < self.rows.end {
            let step = tile(self.rows.end - row, most);
            match step {
                12 if most == 12 => self.tiles::<S, 12>(simd, row, &panels, memory, factors),
                8 if most == 12 => self.tiles::<S, 8>(simd, row, &panels, memory, factors),
                6 if most == 6 => self.tiles::<S, 6>(simd, row, &panels, memory, factors),
                4 => self.tiles::<S, 4>(simd, row, &panels, memory, factors),
                2 => self.tiles::<S, 2>(simd, row, &panels, memory, factors),
                _ => self.tiles::<S, 1>(simd, row, &panels, memory, factors),
            }
            row += step;
        }
    }

    /// `R` rows from `row` on with some panels.
    #[inline(always)]
    fn tiles<S: Simd, const R: usize>(
        &mut self,
        simd: S,
        row: usize,
        panels: &Range<usize>,
        memory: &[f32],
        factors: &mut [f32],
    ) {
        let depth = self.left.depth();
        let factors = match self.left {
            Left::Rows(rows) => {
                let all = factors.len() >= self.rows.len() * depth;
                let at = if all { (row - self.rows.start) * depth } else { 0 };
                let factors = &mut factors[at..][..R * depth];
                if !all || panels.start == 0 {
                    rows.interleave::<R>(row, factors);
                }
                factors
            }
            Left::Tiles(tiles) => tiles.tile(row, R),
        };
        let factors = factors.as_chunks::<R>().0;
        let (count, size) = (self.right.count(), depth * 2 * S::F32_LANES);
        for index in panels.clone() {
            let lines = &memory[(index - panels.start) * size..];
            let panel = panel::<S>(index, count);
            let lines = &lines[..depth * panel.vectors * S::F32_LANES];
            let lines = S::as_simd_f32s(lines).0;
            if panel.vectors == 2 {
                let sums = self.sums::<S, R, 2>(simd, factors, lines);
                self.store(simd, row, panel, sums);
            } else {
                let sums = self.sums::<S, R, 1>(simd, factors, lines);
                self.store(simd, row, panel, sums);
            }
        }
    }

    /// The sums of `R` rows with a panel.
    #[inline(always)]
    fn sums<S: Simd, const R: usize, const V: usize>(
        &self,
        simd: S,
        factors: &[[f32; R]],
        lines: &[S::f32s],
    ) -> [[S::f32s; V]; R] {
        with_step::<S, _>(
            self.rounding,
            #[inline(always)]
            |step| accumulate(simd, step, factors, lines.as_chunks().0),
        )
    }

    /// Adds the bias to the sums of `R` rows and writes them.
    #[inline(always)]
    fn store<S: Simd, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        row: usize,
        panel: Panel,
        mut sums: [[S::f32s; V]; R],
    ) {
        let row = row - self.first;
        let columns = panel.column..panel.column + panel.columns;
        match self.bias {
            Bias::None => {}
            Bias::Rows(bias) => {
                for (sums, bias) in sums.iter_mut().zip(&bias[row..]) {
                    let bias = simd.splat_f32s(*bias);
                    sums.iter_mut().for_each(|sum| *sum = simd.add_f32s(*sum, bias));
                }
            }
            Bias::Columns(bias) => {
                let mut rest = &bias[columns];
                for vector in 0..V {
                    let (lanes, after) = rest.split_at(rest.len().min(S::F32_LANES));
                    let bias = simd.partial_load_f32s(lanes);
                    for sums in &mut sums {
                        sums[vector] = simd.add_f32s(sums[vector], bias);
                    }
                    rest = after;
                }
            }
        }
        for (index, sums) in sums.iter().enumerate() {
            let out = &mut self.out[(row + index) * self.stride + panel.column..];
            let out = &mut out[..panel.columns];
            if panel.columns == V * S::F32_LANES {
                S::as_mut_simd_f32s(out).0.copy_from_slice(sums);
            } else {
                for (out, sum) in out.chunks_mut(S::F32_LANES).zip(sums) {
                    simd.partial_store_f32s(out, *sum);
                }
            }
        }
    }
}

/// `Σ factors[k][r] * lines[k]`, one product after the other.
#[inline(always)]
fn accumulate<S: Simd, const R: usize, const V: usize>(
    simd: S,
    step: Step,
    factors: &[[f32; R]],
    lines: &[[S::f32s; V]],
) -> [[S::f32s; V]; R] {
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    for (factors, line) in factors.iter().zip(lines) {
        for (sums, factor) in sums.iter_mut().zip(factors) {
            let factor = simd.splat_f32s(*factor);
            for (sum, value) in sums.iter_mut().zip(line) {
                *sum = step.add_vectors(simd, *sum, factor, *value);
            }
        }
    }
    sums
}

/// Lays out some panels one after the other.
#[inline(always)]
fn pack_group<S: Simd, C: Columns>(
    columns: &C,
    depth: usize,
    panels: Range<usize>,
    memory: &mut [f32],
) {
    let size = depth * 2 * S::F32_LANES;
    for (index, memory) in panels.zip(memory.chunks_mut(size.max(1))) {
        let panel = panel::<S>(index, columns.count());
        let width = panel.vectors * S::F32_LANES;
        let columns_of_panel = panel.column..panel.column + panel.columns;
        columns.pack(columns_of_panel, 0..depth, width, &mut memory[..depth * width]);
    }
}

/// A right matrix laid out in panels, for several products.
pub(in crate::kernels) struct Packed {
    data: Scratch<f32>,
    count: usize,
}

impl Packed {
    /// Lays out all columns.
    pub fn of<C: Columns>(columns: &C, depth: usize) -> Self {
        struct Pack<'a, C>(&'a C, usize);
        impl<C: Columns> pulp::WithSimd for Pack<'_, C> {
            type Output = Scratch<f32>;

            #[inline(always)]
            fn with_simd<S: Simd>(self, _simd: S) -> Scratch<f32> {
                let Pack(columns, depth) = self;
                let panels = columns.count().div_ceil(2 * S::F32_LANES);
                let width = width::<S>(columns.count());
                let mut memory = Scratch::new(panels * depth * width);
                pack_group::<S, C>(columns, depth, 0..panels, &mut memory);
                memory
            }
        }
        let data = pulp::Arch::new().dispatch(Pack(columns, depth));
        Packed { data, count: columns.count() }
    }

    /// How many columns.
    pub fn count(&self) -> usize {
        self.count
    }
}
