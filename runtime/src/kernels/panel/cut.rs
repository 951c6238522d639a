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
}

struct OfThisProcessor;

impl pulp::WithSimd for OfThisProcessor {
    type Output = Vectors;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> Vectors {
        Vectors { lanes: S::F32_LANES, most_rows: most_of(S::REGISTER_COUNT) }
    }
}

/// Vectors of a panel.
pub(super) const WIDTH: usize = 3;

/// Columns that are no more than a tail. Their sums lie across the rows.
pub(super) const MOST_IN_TAIL: usize = 4;

/// How the columns of a matrix are cut into panels of [`WIDTH`] vectors, and into a
/// tail of a few columns that are not worth a vector. Panels do not go from one
/// line of columns to the next.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    /// Lines of columns: those of an image that is read where it lies; else one.
    pub lines: usize,
    /// Columns of a line, which go to its panels but for those of the tail.
    line: usize,
    /// Columns of a line's panels.
    pub columns: usize,
    /// Panels of a line.
    pub panels: usize,
    /// Elements of a row of each panel but the last, or of the only one.
    pub width: usize,
    /// Columns of the tail. Only a matrix of one line has one.
    pub tail: usize,
    /// Elements of a row of the tail: its columns, as often as there is code for.
    pub tail_width: usize,
}

impl Vectors {
    pub fn of_this_processor() -> Self {
        pulp::Arch::new().dispatch(OfThisProcessor)
    }

    /// Cuts `lines` times `count` columns.
    pub fn cut(self, lines: usize, count: usize) -> Cut {
        let over = count % self.lanes;
        let is_tail = (1..=MOST_IN_TAIL).contains(&over)
            && lines == 1
            && count >= WIDTH * self.lanes
            && self.most_rows <= self.lanes;
        let tail = if is_tail { over } else { 0 };
        let columns = count - tail;
        Cut {
            lines,
            line: count,
            columns,
            panels: columns.div_ceil(WIDTH * self.lanes),
            width: columns.div_ceil(self.lanes).min(WIDTH) * self.lanes,
            tail,
            tail_width: if tail > 1 { MOST_IN_TAIL } else { tail },
        }
    }
}

impl Cut {
    /// Lays out the tail, row after row.
    pub fn pack_tail<C: Columns>(self, columns: &C, depth: usize, memory: &mut [f32]) {
        if self.tail > 0 {
            let tail = self.columns..self.columns + self.tail;
            columns.pack(tail, 0..depth, self.tail_width, memory);
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
        let column = line * self.line + first;
        Panel { index, line, first, column, columns, vectors, packed: vectors * lanes, at: 0 }
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
    /// Elements of a row of the panel where it is packed.
    packed: usize,
    /// Elements of such a row that are before it.
    at: usize,
}

impl Panel {
    /// All whole vectors but the last, if there are more, and that.
    #[inline(always)]
    pub fn split<S: Simd>(self) -> (Option<Panel>, Panel) {
        let at = (self.vectors - 1) * S::F32_LANES;
        let head = Panel { columns: at, vectors: self.vectors - 1, ..self };
        let last = Panel {
            first: self.first + at,
            column: self.column + at,
            columns: self.columns - at,
            vectors: 1,
            at,
            ..self
        };
        ((at > 0).then_some(head), last)
    }

    /// The rows of the panel in `memory`, in which it is packed.
    #[inline(always)]
    pub fn rows(self, memory: &[f32]) -> impl Iterator<Item = &[f32]> {
        memory[self.at..].chunks(self.packed)
    }
}
