//! The loops of the product, for the vectors of the processor that they run on.

use super::rows::{most_of, tile};
use super::{Bias, Columns, Left, Planes, Range, Right, Rounding};
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
    let arch = pulp::Arch::new();
    let vectors = arch.dispatch(OfThisProcessor);
    let depth = left.depth();
    let cut = vectors.cut(right.count());
    let size = depth * cut.width;
    let group = (GROUP / size.max(1)).clamp(1, cut.panels);
    let packs = matches!(right, Right::Columns(_));
    let mut memory = Scratch::<f32>::new(if packs { group * size } else { 0 });
    let mut own_tail = Scratch::<f32>::new(depth * cut.tail_width);
    let tail = match right {
        Right::Packed(packed) => &packed.tail,
        Right::Columns(columns) => {
            cut.pack_tail(columns, depth, &mut own_tail);
            &own_tail
        }
        Right::Planes(planes) => {
            cut.pack_tail(&planes, depth, &mut own_tail);
            &own_tail
        }
    };
    // Rows that meet panels more than once are interleaved once.
    let interleaved = match left {
        Left::Tiles(_) => 0,
        Left::Rows(_) if group == cut.panels => vectors.most_rows,
        Left::Rows(_) => rows.len(),
    };
    let mut factors = Scratch::<f32>::new(interleaved * depth);
    for first in (0..cut.panels).step_by(group) {
        let panels = first..cut.panels.min(first + group);
        let lines = match right {
            Right::Columns(columns) => {
                let panels = panels.clone();
                arch.dispatch(Pack { columns, depth, cut, panels, memory: &mut memory });
                Lines::Packed(&memory)
            }
            Right::Packed(packed) => Lines::Packed(&packed.data[first * size..]),
            Right::Planes(planes) => Lines::Planes(planes),
        };
        arch.dispatch(Block {
            left,
            rows: rows.clone(),
            lines,
            tail,
            panels,
            cut,
            bias,
            out: &mut *out,
            stride,
            rounding,
            factors: &mut factors,
        });
    }
}

/// What the vectors of this processor are.
#[derive(Clone, Copy)]
struct Vectors {
    lanes: usize,
    /// Rows of the largest tile.
    most_rows: usize,
}

struct OfThisProcessor;

impl pulp::WithSimd for OfThisProcessor {
    type Output = Vectors;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> Vectors {
        Vectors { lanes: S::F32_LANES, most_rows: most_of(S::REGISTER_COUNT) }
    }
}

/// How columns are cut into panels of two vectors, and into a tail of a few
/// columns that are not worth a vector.
#[derive(Clone, Copy)]
struct Cut {
    /// Columns of the panels.
    columns: usize,
    panels: usize,
    /// Elements of a line of each panel but the last, or of the only one.
    width: usize,
    tail: usize,
    /// Elements of a line of the tail: its columns, as often as there is code for.
    tail_width: usize,
}

/// Columns that are no more than a tail. Their sums lie across the rows.
const MOST_IN_TAIL: usize = 4;

impl Vectors {
    fn cut(self, count: usize) -> Cut {
        let over = count % self.lanes;
        let is_tail = (1..=MOST_IN_TAIL).contains(&over)
            && count >= 2 * self.lanes
            && self.most_rows <= self.lanes;
        let tail = if is_tail { over } else { 0 };
        let columns = count - tail;
        Cut {
            columns,
            panels: columns.div_ceil(2 * self.lanes),
            width: if columns <= self.lanes { self.lanes } else { 2 * self.lanes },
            tail,
            tail_width: if tail > 1 { MOST_IN_TAIL } else { tail },
        }
    }
}

impl Cut {
    /// Lays out the tail, line after line.
    fn pack_tail<C: Columns>(self, columns: &C, depth: usize, memory: &mut [f32]) {
        if self.tail > 0 {
            let tail = self.columns..self.columns + self.tail;
            columns.pack(tail, 0..depth, self.tail_width, memory);
        }
    }
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

/// Where the lines of panels are, one for each step of the depth.
#[derive(Clone, Copy)]
enum Lines<'a> {
    /// One after the other, those of the first panel first.
    Packed(&'a [f32]),
    /// Where the matrix has them.
    Planes(Planes<'a>),
}

/// Some rows with some panels.
struct Block<'a> {
    left: Left<'a>,
    rows: Range<usize>,
    lines: Lines<'a>,
    /// The lines of the tail.
    tail: &'a [f32],
    panels: Range<usize>,
    cut: Cut,
    bias: Bias<'a>,
    /// The first of `rows` is the first of it.
    out: &'a mut [f32],
    stride: usize,
    rounding: Rounding,
    factors: &'a mut [f32],
}

impl pulp::WithSimd for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let most = most_of(S::REGISTER_COUNT);
        let mut row = self.rows.start;
        while row < self.rows.end {
            let step = tile(self.rows.end - row, most);
            match step {
                12 if most == 12 => self.tiles::<S, 12>(simd, row),
                8 if most == 12 => self.tiles::<S, 8>(simd, row),
                6 if most == 6 => self.tiles::<S, 6>(simd, row),
                4 => self.tiles::<S, 4>(simd, row),
                2 => self.tiles::<S, 2>(simd, row),
                _ => self.tiles::<S, 1>(simd, row),
            }
            row += step;
        }
    }
}

impl Block<'_> {
    /// `R` rows from `row` on with the panels.
    #[inline(always)]
    fn tiles<S: Simd, const R: usize>(&mut self, simd: S, row: usize) {
        let depth = self.left.depth();
        let factors = std::mem::take(&mut self.factors);
        let tile = match self.left {
            Left::Rows(rows) => {
                let all = factors.len() >= self.rows.len() * depth;
                let at = if all { (row - self.rows.start) * depth } else { 0 };
                let tile = &mut factors[at..][..R * depth];
                if !all || self.panels.start == 0 {
                    rows.interleave::<R>(row, tile);
                }
                &*tile
            }
            Left::Tiles(tiles) => tiles.tile(row, R),
        };
        let tile = tile.as_chunks::<R>().0;
        for index in self.panels.clone() {
            let panel = panel::<S>(index, self.cut.columns);
            let is_last = index + 1 == self.cut.panels;
            match (panel.vectors, if is_last { self.cut.tail_width } else { 0 }) {
                (2, 0) => self.one::<S, R, 2, 0>(simd, row, tile, index, panel),
                (2, 1) => self.one::<S, R, 2, 1>(simd, row, tile, index, panel),
                (2, _) => self.one::<S, R, 2, MOST_IN_TAIL>(simd, row, tile, index, panel),
                (_, 0) => self.one::<S, R, 1, 0>(simd, row, tile, index, panel),
                (_, 1) => self.one::<S, R, 1, 1>(simd, row, tile, index, panel),
                (_, _) => self.one::<S, R, 1, MOST_IN_TAIL>(simd, row, tile, index, panel),
            }
        }
        self.factors = factors;
    }

    /// `R` rows with a panel of `V` vectors and a tail of `T` columns.
    #[inline(always)]
    fn one<S: Simd, const R: usize, const V: usize, const T: usize>(
        &mut self,
        simd: S,
        row: usize,
        factors: &[[f32; R]],
        index: usize,
        panel: Panel,
    ) {
        // Smaller tiles are rare: their tail is not worth loops with each panel.
        if T == 0 || R == most_of(S::REGISTER_COUNT) {
            let (sums, tail) = self.sums::<S, R, V, T>(simd, factors, index, panel);
            self.store(simd, row, panel, sums);
            self.store_tail(simd, (row, R), tail);
        } else {
            let (sums, _) = self.sums::<S, R, V, 0>(simd, factors, index, panel);
            self.store(simd, row, panel, sums);
            let (_, tail) = self.tail_sums::<S, R, T>(simd, factors);
            self.store_tail(simd, (row, R), tail);
        }
    }

    /// The sums of `R` rows with a panel and a tail.
    #[inline(always)]
    fn sums<S: Simd, const R: usize, const V: usize, const T: usize>(
        &self,
        simd: S,
        factors: &[[f32; R]],
        index: usize,
        panel: Panel,
    ) -> ([[S::f32s; V]; R], [S::f32s; T]) {
        let (lines, tail, depth) = (self.lines, self.tail, factors.len());
        with_step::<S, _>(
            self.rounding,
            #[inline(always)]
            |step| match lines {
                Lines::Packed(memory) => {
                    let at = (index - self.panels.start) * depth * 2 * S::F32_LANES;
                    let lines = S::as_simd_f32s(&memory[at..][..depth * V * S::F32_LANES]).0;
                    let lines = lines.as_chunks::<V>().0.iter().copied();
                    accumulate(simd, step, factors, lines, tail)
                }
                Lines::Planes(planes) => {
                    let lines = planes.data.get(panel.column..).unwrap_or_default();
                    let lines = lines.chunks(planes.stride).map(
                        #[inline(always)]
                        |line| {
                            let line = S::as_simd_f32s(&line[..V * S::F32_LANES]).0;
                            line.as_chunks::<V>().0[0]
                        },
                    );
                    accumulate(simd, step, factors, lines, tail)
                }
            },
        )
    }

    /// The sums of `R` rows with a tail alone.
    #[inline(always)]
    fn tail_sums<S: Simd, const R: usize, const T: usize>(
        &self,
        simd: S,
        factors: &[[f32; R]],
    ) -> ([[S::f32s; 0]; R], [S::f32s; T]) {
        let nothing = std::iter::repeat([]);
        with_step::<S, _>(
            self.rounding,
            #[inline(always)]
            |step| accumulate(simd, step, factors, nothing, self.tail),
        )
    }

    /// Adds the bias to the sums of a tail, which lie across `rows` rows, and writes them.
    #[inline(always)]
    fn store_tail<S: Simd, const T: usize>(
        &mut self,
        simd: S,
        (row, rows): (usize, usize),
        tail: [S::f32s; T],
    ) {
        let row = row - self.rows.start;
        for (column, sums) in (self.cut.columns..).zip(tail).take(self.cut.tail) {
            let mut values = [0.0; super::rows::MOST];
            simd.partial_store_f32s(&mut values[..rows], sums);
            for (row, value) in (row..).zip(&values[..rows]) {
                self.out[row * self.stride + column] = match self.bias {
                    Bias::None => *value,
                    Bias::Rows(bias) => value + bias[row],
                    Bias::Columns(bias) => value + bias[column],
                };
            }
        }
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
        let row = row - self.rows.start;
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

/// `Σ factors[k][r] * lines[k]`, one product after the other; the same for the
/// columns of a tail, whose sums lie across the rows.
#[inline(always)]
fn accumulate<S: Simd, const R: usize, const V: usize, const T: usize>(
    simd: S,
    step: Step,
    factors: &[[f32; R]],
    lines: impl Iterator<Item = [S::f32s; V]>,
    tail: &[f32],
) -> ([[S::f32s; V]; R], [S::f32s; T]) {
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    let mut tail_sums = [simd.splat_f32s(0.0); T];
    let all_factors = factors.as_flattened();
    let mut tail = tail.chunks_exact(T.max(1));
    for (k, (factors, line)) in factors.iter().zip(lines).enumerate() {
        if T > 0 {
            // What follows in the vector are other factors, whose sums nobody reads.
            let rows = match all_factors.get(k * R..k * R + S::F32_LANES) {
                Some(whole) => S::as_simd_f32s(whole).0[0],
                None => simd.partial_load_f32s(factors),
            };
            let values = tail.next().and_then(|values| <&[f32; T]>::try_from(values).ok());
            for (sum, value) in tail_sums.iter_mut().zip(values.into_iter().flatten()) {
                *sum = step.add_vectors(simd, *sum, rows, simd.splat_f32s(*value));
            }
        }
        for (sums, factor) in sums.iter_mut().zip(factors) {
            let factor = simd.splat_f32s(*factor);
            for (sum, value) in sums.iter_mut().zip(line) {
                *sum = step.add_vectors(simd, *sum, factor, value);
            }
        }
    }
    (sums, tail_sums)
}

/// Lays out some panels one after the other in `memory`.
struct Pack<'a, C> {
    columns: &'a C,
    depth: usize,
    cut: Cut,
    panels: Range<usize>,
    memory: &'a mut [f32],
}

impl<C: Columns> pulp::WithSimd for Pack<'_, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let size = self.depth * 2 * S::F32_LANES;
        for (index, memory) in self.panels.zip(self.memory.chunks_mut(size.max(1))) {
            let panel = panel::<S>(index, self.cut.columns);
            let width = panel.vectors * S::F32_LANES;
            let columns = panel.column..panel.column + panel.columns;
            self.columns.pack(columns, 0..self.depth, width, &mut memory[..self.depth * width]);
        }
    }
}

/// A right matrix laid out in panels, for several products.
pub(in crate::kernels) struct Packed {
    data: Scratch<f32>,
    tail: Scratch<f32>,
    count: usize,
}

impl Packed {
    /// Lays out all columns.
    pub fn of<C: Columns>(columns: &C, depth: usize) -> Self {
        let arch = pulp::Arch::new();
        let cut = arch.dispatch(OfThisProcessor).cut(columns.count());
        let mut data = Scratch::new(cut.panels * depth * cut.width);
        let mut tail = Scratch::new(depth * cut.tail_width);
        cut.pack_tail(columns, depth, &mut tail);
        let panels = 0..cut.panels;
        arch.dispatch(Pack { columns, depth, cut, panels, memory: &mut data });
        Packed { data, tail, count: columns.count() }
    }

    /// How many columns.
    pub fn count(&self) -> usize {
        self.count
    }
}
