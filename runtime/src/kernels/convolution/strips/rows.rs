//! The elements of the input that a row of results meets.

use super::{Side, Way, pairs};
use pulp::Simd;

/// Reads rows of a plane for a strip: the elements to the left of those that the
/// results lie on, those, and those to the right; zeros beyond the plane.
#[derive(Clone, Copy)]
pub(super) struct Reader<S: Simd> {
    simd: S,
    way: Way,
    side: Side,
    /// The first column of the input that a result lies on.
    left: usize,
    /// Columns of the input.
    width: usize,
    /// All lanes but the first.
    but_first: S::m32s,
    /// All lanes but the last.
    but_last: S::m32s,
    /// The lanes that a row has, if it has no more.
    in_row: S::m32s,
}

impl<S: Simd> Reader<S> {
    #[inline(always)]
    pub fn new(simd: S, way: Way, side: Side, left: usize, width: usize) -> Self {
        let lanes = S::F32_LANES as u32;
        let between = |from, to| simd.mask_between_m32s(from, to).mask();
        let but_first = between(1, lanes);
        let but_last = between(0, lanes - 1);
        let in_row = between(0, width.min(S::F32_LANES) as u32);
        Reader { simd, way, side, left, width, but_first, but_last, in_row }
    }

    /// What a row beyond the plane has.
    #[inline(always)]
    pub fn nothing(&self) -> [S::f32s; 3] {
        [self.simd.splat_f32s(0.0); 3]
    }

    /// The lines of rows 1 and after of a strip that is not narrow; each begins with
    /// the element before the strip.
    #[inline(always)]
    pub fn inner_lines<'a>(&self, input: &'a [f32]) -> Lines<'a> {
        Lines {
            rest: input.get(self.width + self.left - 1..).unwrap_or_default(),
            width: self.width,
        }
    }

    /// A row that is neither the first nor the last. What lies beyond its ends in
    /// `line` are elements of its neighbours.
    #[inline(always)]
    pub fn inner_row(&self, line: &[f32]) -> [S::f32s; 3] {
        let (simd, lanes) = (self.simd, S::F32_LANES);
        if self.way == Way::Pairs {
            return self.pairs(&line[1..], Some(line));
        }
        let line = &line[..lanes + 2];
        let at = |shift: usize| S::as_simd_f32s(&line[shift..shift + lanes]).0[0];
        let zero = simd.splat_f32s(0.0);
        let before = match self.side {
            Side::First | Side::Only => simd.select_f32s(self.but_first, at(0), zero),
            _ => at(0),
        };
        let after = match self.side {
            Side::Last | Side::Only => simd.select_f32s(self.but_last, at(2), zero),
            _ => at(2),
        };
        [before, at(1), after]
    }

    /// Row `y` of a plane of some height, of which the input has the elements first.
    #[inline(always)]
    pub fn row(&self, input: &[f32], y: usize, height: usize) -> [S::f32s; 3] {
        if y >= height {
            return self.nothing();
        }
        let (simd, at) = (self.simd, y * self.width + self.left);
        if self.way == Way::Pairs {
            return self.pairs(&input[at..], at.checked_sub(1).map(|before| &input[before..]));
        }
        let values = load(simd, input, at);
        if self.side == Side::Narrow {
            // What comes after the row is zero, so that it can be shifted in.
            let values = simd.select_f32s(self.in_row, values, simd.splat_f32s(0.0));
            return [simd.rotate_right_f32s(values, 1), values, simd.rotate_left_f32s(values, 1)];
        }
        let before = match self.side {
            Side::First | Side::Only => self.shifted_right(values),
            _ => load(simd, input, at - 1),
        };
        let after = match self.side {
            Side::Last | Side::Only => {
                let shifted = simd.rotate_left_f32s(values, 1);
                simd.select_f32s(self.but_last, shifted, simd.splat_f32s(0.0))
            }
            _ => load(simd, input, at + 1),
        };
        [before, values, after]
    }

    /// The even elements of a line that begins with the strip and the odd ones; and
    /// before them the odd ones that begin with the element before the strip.
    #[inline(always)]
    fn pairs(&self, line: &[f32], with_before: Option<&[f32]>) -> [S::f32s; 3] {
        let two = |line: &[f32]| {
            let vectors = S::as_simd_f32s(&line[..2 * S::F32_LANES]).0;
            [vectors[0], vectors[1]]
        };
        let simd = self.simd;
        let vectors = two(line);
        let even = pairs::every_second(simd, vectors, 0);
        let odd = pairs::every_second(simd, vectors, 1);
        let before = match (self.side, with_before) {
            (Side::Inner | Side::Last, Some(line)) => pairs::every_second(simd, two(line), 0),
            _ => self.shifted_right(odd),
        };
        [before, even, odd]
    }

    /// Each lane's neighbour before it, and a zero.
    #[inline(always)]
    fn shifted_right(&self, values: S::f32s) -> S::f32s {
        let shifted = self.simd.rotate_right_f32s(values, 1);
        self.simd.select_f32s(self.but_first, shifted, self.simd.splat_f32s(0.0))
    }
}

/// A vector, filled up with zeros behind the last element.
#[inline(always)]
fn load<S: Simd>(simd: S, input: &[f32], at: usize) -> S::f32s {
    match input.get(at..at + S::F32_LANES) {
        Some(whole) => S::as_simd_f32s(whole).0[0],
        None => simd.partial_load_f32s(&input[at..]),
    }
}

/// Lines that begin a row apart, each to the end of the input.
pub(super) struct Lines<'a> {
    rest: &'a [f32],
    width: usize,
}

impl<'a> Lines<'a> {
    #[inline(always)]
    pub fn next(&mut self) -> &'a [f32] {
        let line = self.rest;
        self.rest = line.get(self.width..).unwrap_or_default();
        line
    }
}
