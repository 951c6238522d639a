//! How columns are cut for the vectors of this processor.

use super::Columns;
use super::rows::most_of;
use pulp::Simd;

/// What the vectors of this processor are.
#[derive(Clone, Copy)]
pub(super) struct Vectors {
    lanes: usize,
    /// Rows of the largest tile.
    pub most_rows: usize,
    /// Whether a panel can have a column of a tail beside it.
    takes_tail: bool,
}

/// Whether the rows of a tail's column are no more than a vector has, and the sums of
/// `rows` rows with a panel and such a column stay in registers, beside the panel's
/// vectors, the rows and a factor.
pub(super) const fn takes_tail<S: Simd>(rows: usize) -> bool {
    rows <= S::F32_LANES && rows * WIDTH + 1 + WIDTH + 2 <= S::REGISTER_COUNT
}

struct OfThisProcessor;

impl pulp::WithSimd for OfThisProcessor {
    type Output = Vectors;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> Vectors {
        let (lanes, most_rows) = (S::F32_LANES, most_of(S::REGISTER_COUNT));
        Vectors { lanes, most_rows, takes_tail: takes_tail::<S>(most_rows) }
    }
}

/// Vectors of a panel.
pub(super) const WIDTH: usize = 3;

/// Columns that are no more than a tail.
const MOST_IN_TAIL: usize = 4;

/// How the columns of a matrix are cut into panels of [`WIDTH`] vectors, and into a
/// tail of a few columns that are not worth a vector: each goes with one panel, and
/// its sums lie across the rows. Panels do not go from one line of columns to the next.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    /// Lines of columns: those of an image that is read where it lies; else one.
    pub lines: usize,
    /// Columns of a line's panels.
    pub columns: usize,
    /// Panels of a line.
    pub panels: usize,
    /// Elements of a row of each panel but the last, or of the only one.
    pub width: usize,
    /// Columns of the tail. Only a matrix of one line has one.
    pub tail: usize,
}

impl Vectors {
    pub fn of_this_processor() -> Self {
        pulp::Arch::new().dispatch(OfThisProcessor)
    }

    /// Cuts `count` columns.
    pub fn cut(self, count: usize) -> Cut {
        let over = count % self.lanes;
        let whole_panels = count / (WIDTH * self.lanes);
        let has_tail = self.takes_tail && over <= MOST_IN_TAIL.min(whole_panels);
        let tail = if has_tail { over } else { 0 };
        Cut { tail, ..self.cut_lines(1, count - tail) }
    }

    /// Cuts `lines` lines of `columns` columns, without a tail.
    pub fn cut_lines(self, lines: usize, columns: usize) -> Cut {
        Cut {
            lines,
            columns,
            panels: columns.div_ceil(WIDTH * self.lanes),
            width: columns.div_ceil(self.lanes).min(WIDTH) * self.lanes,
            tail: 0,
        }
    }
}

impl Cut {
    /// Lays out the tail, column after column.
    pub fn pack_tail<C: Columns>(self, columns: &C, depth: usize, memory: &mut [f32]) {
        let tail = self.columns..self.columns + self.tail;
        for (column, memory) in tail.zip(memory.chunks_exact_mut(depth.max(1))) {
            columns.pack(column..column + 1, 0..depth, 1, memory);
        }
    }

    /// Panel `index` of a line.
    #[inline(always)]
    pub fn panel<S: Simd>(self, line: usize, index: usize) -> Panel {
        let (lanes, count) = (S::F32_LANES, self.columns);
        let begin = index * WIDTH * lanes;
        let vectors = (count - begin).div_ceil(lanes).min(WIDTH);
        let columns = (vectors * lanes).min(count);
        let first = begin.min(count - columns);
        let column = line * self.columns + first;
        Panel { index, line, first, column, columns, vectors }
    }
}

/// Where a panel is. The last one of a line overlaps the one before, so that all
/// vectors are whole, unless there are fewer columns than a vector has.
#[derive(Clone, Copy)]
pub(super) struct Panel {
    /// Which of the line's.
    pub index: usize,
    pub line: usize,
    /// Its first column, in the line.
    pub first: usize,
    /// The same, in the product.
    pub column: usize,
    /// Columns that it has, at most `vectors` full vectors.
    pub columns: usize,
    pub vectors: usize,
}
