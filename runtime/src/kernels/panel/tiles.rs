//! The loops of the product, for the vectors of the processor that they run on.

use super::cut::{Cut, Panel, Vectors, WIDTH, takes_tail};
use super::finish::Finish;
use super::packed::pack;
use super::rows::{MOST, SPARE, most_of, tile};
use super::{Columns, Left, Planes, Range, Right, Rounding, Windows};
use crate::kernels::scratch::Scratch;
use crate::kernels::simd::{Step, with_step};
use pulp::Simd;

/// Elements of the panels that some rows meet in a row: half of what a usual
/// second cache holds.
const GROUP: usize = 1 << 16;

/// Tiles of rows that planes' lines are not copied for if there are no more.
const COPIED: usize = 2;

/// Panels that a single row meets at a time: its sums alone would leave the units
/// idle, and one stream of lines the memory.
const ABREAST: usize = 4;

/// Rows `rows` of the product.
pub(super) fn multiply<'a, C: Columns>(
    left: Left<'_>,
    rows: Range<usize>,
    right: Right<'_, C>,
    finish: impl Into<Finish<'a>>,
    (out, stride): (&mut [f32], usize),
    rounding: Rounding,
) {
    let (vectors, finish) = (Vectors::of_this_processor(), finish.into());
    let depth = left.depth();
    let cut = match right {
        Right::Windows(windows) => vectors.cut_lines(windows.height, windows.width),
        other => vectors.cut(other.count()),
    };
    let size = depth * cut.width;
    let copies = match right {
        Right::Planes(planes) => !planes.are_lines() && rows.len() > COPIED * vectors.most_rows,
        Right::Columns(_) | Right::Packed(_) | Right::Windows(_) => false,
    };
    let packs = copies || matches!(right, Right::Columns(_));
    // Rows of one tile meet no panel twice.
    let group = match rows.len() <= vectors.most_rows && !packs {
        true => cut.panels,
        false if cut.lines > 1 => cut.panels,
        false => (GROUP / size.max(1)).clamp(1, cut.panels),
    };
    let mut memory = Scratch::<f32>::new(if packs { group * size } else { 0 });
    let mut own_tail = Scratch::<f32>::new(depth * cut.tail);
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
        Right::Windows(_) => &own_tail,
    };
    // Rows that meet panels more than once are interleaved once.
    let interleaved = match left {
        Left::Tiles(_) => 0,
        Left::Rows(_) if group == cut.panels => vectors.most_rows,
        Left::Rows(_) => rows.len(),
    };
    let mut factors = Scratch::<f32>::new(interleaved * depth + SPARE);
    for first in (0..cut.panels).step_by(group) {
        let panels = first..cut.panels.min(first + group);
        let (lines, copy) = match right {
            Right::Columns(columns) => {
                pack(columns, depth, cut, panels.clone(), &mut memory);
                (Lines::Packed(&memory), None)
            }
            Right::Packed(packed) => (Lines::Packed(&packed.data[first * size..]), None),
            Right::Planes(planes) => (Lines::Planes(planes), copies.then_some(&mut memory[..])),
            Right::Windows(windows) => (Lines::Windows(windows), None),
        };
        pulp::Arch::new().dispatch(Block {
            left,
            rows: rows.clone(),
            lines,
            copy,
            tail,
            panels,
            cut,
            finish,
            out: &mut *out,
            stride,
            rounding,
            factors: &mut factors,
        });
    }
}

/// Where the lines of panels are, one for each step of the depth.
#[derive(Clone, Copy)]
enum Lines<'a> {
    /// One after the other, those of the first panel first.
    Packed(&'a [f32]),
    /// Where the matrix has them.
    Planes(Planes<'a>),
    Windows(Windows<'a>),
}

/// Some rows with some panels of each line.
struct Block<'a> {
    left: Left<'a>,
    rows: Range<usize>,
    lines: Lines<'a>,
    /// Where the first rows pack the planes' lines that they read, for the other rows.
    copy: Option<&'a mut [f32]>,
    /// The columns of the tail, one after the other.
    tail: &'a [f32],
    panels: Range<usize>,
    cut: Cut,
    finish: Finish<'a>,
    /// The first of `rows` is the first of it.
    out: &'a mut [f32],
    stride: usize,
    rounding: Rounding,
    factors: &'a mut [f32],
}

/// The factors of a tile: for each step of the depth, one for each row.
#[derive(Clone, Copy)]
struct Factors<'a, const R: usize> {
    steps: &'a [[f32; R]],
    /// The same, and [`SPARE`] elements.
    all: &'a [f32],
}

impl pulp::WithSimd for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        with_step::<S, _>(
            self.rounding,
            #[inline(always)]
            |step| self.run(simd, step),
        );
    }
}

impl Block<'_> {
    #[inline(always)]
    fn run<S: Simd>(&mut self, simd: S, step: Step) {
        let most = most_of(S::REGISTER_COUNT);
        let mut row = self.rows.start;
        while row < self.rows.end {
            let rows = tile(self.rows.end - row, most);
            match rows {
                8 if most == 8 => self.tiles::<S, 8>(simd, step, row),
                4 => self.tiles::<S, 4>(simd, step, row),
                2 => self.tiles::<S, 2>(simd, step, row),
                _ => self.tiles::<S, 1>(simd, step, row),
            }
            row += rows;
        }
    }

    /// `R` rows from `row` on with the panels.
    #[inline(always)]
    fn tiles<S: Simd, const R: usize>(&mut self, simd: S, step: Step, row: usize) {
        let depth = self.left.depth();
        let factors = std::mem::take(&mut self.factors);
        let tile = match self.left {
            Left::Rows(rows) => {
                let all = factors.len() >= self.rows.len() * depth + SPARE;
                let at = if all { (row - self.rows.start) * depth } else { 0 };
                let tile = &mut factors[at..][..R * depth + SPARE];
                if !all || self.panels.start == 0 {
                    rows.interleave::<R>(row, &mut tile[..R * depth]);
                }
                &*tile
            }
            Left::Tiles(tiles) => tiles.tile(row, R),
        };
        let tile = Factors { steps: &tile.as_chunks::<R>().0[..depth], all: tile };
        let row = row - self.rows.start;
        let mut panels = self.panels.clone();
        if R == 1 {
            panels.start = self.abreast(simd, step, row, tile.steps.as_flattened());
        }
        for line in 0..self.cut.lines {
            for index in panels.clone() {
                self.panel(simd, step, row, tile, self.cut.panel::<S>(line, index));
            }
        }
        if let Some(copy) = self.copy.take() {
            self.lines = Lines::Packed(copy);
        }
        self.factors = factors;
    }

    /// `R` rows with a panel and a column of the tail, if there are any left.
    #[inline(always)]
    fn panel<S: Simd, const R: usize>(
        &mut self,
        simd: S,
        step: Step,
        row: usize,
        factors: Factors<'_, R>,
        panel: Panel,
    ) {
        let has_tail = panel.index < self.cut.tail;
        match panel.vectors {
            WIDTH if has_tail && takes_tail::<S>(most_of(S::REGISTER_COUNT)) => {
                let (sums, [tail]) = self.sums::<S, R, WIDTH, 1>(simd, step, factors, panel);
                self.store(simd, step, row, panel, sums);
                self.store_tail(simd, step, (row, R), panel.index, tail);
            }
            WIDTH => self.one::<S, R, WIDTH>(simd, step, row, factors, panel),
            2 => self.one::<S, R, 2>(simd, step, row, factors, panel),
            _ => self.one::<S, R, 1>(simd, step, row, factors, panel),
        }
    }

    /// `R` rows with a panel of `V` vectors.
    #[inline(always)]
    fn one<S: Simd, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        step: Step,
        row: usize,
        factors: Factors<'_, R>,
        panel: Panel,
    ) {
        let (sums, []) = self.sums::<S, R, V, 0>(simd, step, factors, panel);
        self.store(simd, step, row, panel, sums);
    }

    /// One row with as many whole panels as can be met [`ABREAST`]; returns the
    /// first that is left.
    #[inline(always)]
    fn abreast<S: Simd>(&mut self, simd: S, step: Step, row: usize, factors: &[f32]) -> usize {
        let Range { mut start, end } = self.panels;
        let Lines::Packed(memory) = self.lines else { return start };
        if self.cut.tail > 0 {
            return start;
        }
        let (width, depth) = (WIDTH * S::F32_LANES, factors.len());
        let first = start;
        while depth > 0 && start + ABREAST < end {
            let memory = &memory[(start - first) * depth * width..][..ABREAST * depth * width];
            let mut lines = memory.chunks_exact(depth * width).map(
                #[inline(always)]
                |lines| S::as_simd_f32s(lines).0.as_chunks::<WIDTH>().0,
            );
            let lines: [&[[S::f32s; WIDTH]]; ABREAST] =
                std::array::from_fn(|_| lines.next().unwrap_or_default());
            let mut sums = [[[simd.splat_f32s(0.0); WIDTH]; 1]; ABREAST];
            for (k, factor) in factors.iter().enumerate() {
                let factor = simd.splat_f32s(*factor);
                for (sums, lines) in sums.iter_mut().zip(lines) {
                    for (sum, value) in sums[0].iter_mut().zip(lines[k]) {
                        *sum = step.add_vectors(simd, *sum, factor, value);
                    }
                }
            }
            for (index, sums) in (start..).zip(sums) {
                self.store(simd, step, row, self.cut.panel::<S>(0, index), sums);
            }
            start += ABREAST;
        }
        start
    }

    /// The sums of `R` rows with a panel, and with its column of the tail if `T` is 1.
    #[inline(always)]
    fn sums<S: Simd, const R: usize, const V: usize, const T: usize>(
        &mut self,
        simd: S,
        step: Step,
        factors: Factors<'_, R>,
        panel: Panel,
    ) -> ([[S::f32s; V]; R], [S::f32s; T]) {
        let depth = factors.steps.len();
        let tail = if T > 0 { &self.tail[panel.index * depth..][..depth] } else { &[] };
        let at = (panel.index - self.panels.start) * depth * WIDTH * S::F32_LANES;
        match self.lines {
            Lines::Packed(memory) => {
                let lines = S::as_simd_f32s(&memory[at..][..depth * V * S::F32_LANES]).0;
                let lines = lines.as_chunks::<V>().0.iter().copied();
                accumulate(simd, step, factors, lines, tail)
            }
            Lines::Planes(planes) => {
                let data = planes.data.get(panel.first..).unwrap_or_default();
                let lines = data.chunks(planes.stride).map(
                    #[inline(always)]
                    |line| vectors_of::<S, V>(line),
                );
                let Some(copy) = &mut self.copy else {
                    return accumulate(simd, step, factors, lines, tail);
                };
                let copy = S::as_mut_simd_f32s(&mut copy[at..][..depth * V * S::F32_LANES]).0;
                let lines = lines.zip(copy.as_chunks_mut::<V>().0).map(
                    #[inline(always)]
                    |(line, place)| {
                        *place = line;
                        line
                    },
                );
                accumulate(simd, step, factors, lines, tail)
            }
            Lines::Windows(windows) => {
                let data = windows.data.get(windows.row * panel.line + panel.first..);
                let data = data.unwrap_or_default();
                let lines = windows.offsets.iter().map(
                    #[inline(always)]
                    |offset| vectors_of::<S, V>(&data[*offset..]),
                );
                // They have no tail.
                let (sums, []) = accumulate(simd, step, factors, lines, &[]);
                (sums, [simd.splat_f32s(0.0); T])
            }
        }
    }

    /// Finishes the sums of a column of the tail, which lie across `rows` rows, and
    /// writes them.
    #[inline(always)]
    fn store_tail<S: Simd>(
        &mut self,
        simd: S,
        step: Step,
        (row, rows): (usize, usize),
        index: usize,
        sums: S::f32s,
    ) {
        let column = self.cut.columns + index;
        let mut values = [0.0; MOST];
        simd.partial_store_f32s(&mut values[..rows], sums);
        for (row, sum) in (row..).zip(&values[..rows]) {
            self.out[row * self.stride + column] = self.finish.number(step, (row, column), *sum);
        }
    }

    /// Finishes the sums of `R` rows and writes them.
    #[inline(always)]
    fn store<S: Simd, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        step: Step,
        row: usize,
        panel: Panel,
        sums: [[S::f32s; V]; R],
    ) {
        let finish = self.finish.tile::<S, R, V>(simd, (row, panel.column));
        let mut rows = self.out[row * self.stride + panel.column..].chunks_mut(self.stride);
        if panel.columns < V * S::F32_LANES {
            for (index, (row, sums)) in rows.zip(sums).enumerate() {
                let sums = finish.row(simd, step, index, sums);
                for (part, sum) in row[..panel.columns].chunks_mut(S::F32_LANES).zip(sums) {
                    simd.partial_store_f32s(part, sum);
                }
            }
            return;
        }
        // A loop would have the sums go by way of memory.
        macro_rules! store {
            ($($index:literal)*) => {$(
                if $index < R && let Some(row) = rows.next() {
                    let row = S::as_mut_simd_f32s(&mut row[..V * S::F32_LANES]).0;
                    row.as_chunks_mut::<V>().0[0] = finish.row(simd, step, $index, sums[$index]);
                }
            )*};
        }
        const { assert!(MOST == 8) };
        store!(0 1 2 3 4 5 6 7);
    }
}

/// The first `V` vectors of a line.
#[inline(always)]
fn vectors_of<S: Simd, const V: usize>(line: &[f32]) -> [S::f32s; V] {
    S::as_simd_f32s(&line[..V * S::F32_LANES]).0.as_chunks::<V>().0[0]
}

/// `Σ factors[k][r] * lines[k]`, one product after the other; the same for `T`
/// columns of the tail, one or none, whose sums lie across the rows.
#[inline(always)]
fn accumulate<S: Simd, const R: usize, const V: usize, const T: usize>(
    simd: S,
    step: Step,
    factors: Factors<'_, R>,
    lines: impl Iterator<Item = [S::f32s; V]>,
    tail: &[f32],
) -> ([[S::f32s; V]; R], [S::f32s; T]) {
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    let mut tail_sums = [simd.splat_f32s(0.0); T];
    let mut rest = factors.all;
    for (k, (factors, line)) in factors.steps.iter().zip(lines).enumerate() {
        for (sums, factor) in sums.iter_mut().zip(factors) {
            let factor = simd.splat_f32s(*factor);
            for (sum, value) in sums.iter_mut().zip(line) {
                *sum = step.add_vectors(simd, *sum, factor, value);
            }
        }
        // Last, or the factors above would be taken out of the vector, one by one.
        for sum in &mut tail_sums {
            // What follows in the vector are other factors, whose sums nobody reads.
            let [rows] = vectors_of::<S, 1>(rest);
            *sum = step.add_vectors(simd, *sum, rows, simd.splat_f32s(tail[k]));
            rest = &rest[R..];
        }
    }
    (sums, tail_sums)
}
