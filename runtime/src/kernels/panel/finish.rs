//! What is done to finished sums before they are written.

use super::Bias;
use crate::kernels::norm::{Normal, NormalVectors};
use crate::kernels::simd::Step;
use pulp::Simd;

/// Operators that take the sums of a product, in this order.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Finish<'a> {
    pub bias: Bias<'a>,
    pub after: After<'a>,
}

/// Those after the bias; each row is a channel.
#[derive(Clone, Copy, Default)]
pub(in crate::kernels) struct After<'a> {
    /// A batch norm, for each row.
    pub norm: Option<&'a [Normal]>,
    pub limit: Option<Limit>,
}

/// Below the first the first, above the second the second.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Limit(pub f32, pub f32);

impl<'a> From<Bias<'a>> for Finish<'a> {
    fn from(bias: Bias<'a>) -> Self {
        Finish { bias, after: After::default() }
    }
}

impl<'a> Finish<'a> {
    /// The number that becomes of one sum.
    #[inline(always)]
    pub(super) fn number(self, step: Step, (row, column): (usize, usize), sum: f32) -> f32 {
        let sum = match self.bias {
            Bias::None => sum,
            Bias::Rows(bias) => sum + bias[row],
            Bias::Columns(bias) => sum + bias[column],
        };
        self.after.number(step, row, sum)
    }

    /// What [`TileFinish::row`] does with the `R` rows from `row` on and the columns
    /// from `column` on, of which there may be fewer than the vectors hold.
    #[inline(always)]
    pub(super) fn tile<S: Simd, const R: usize, const V: usize>(
        self,
        simd: S,
        (row, column): (usize, usize),
    ) -> TileFinish<'a, S, R, V> {
        let After { norm, limit } = self.after;
        TileFinish {
            bias: match self.bias {
                Bias::None => TileBias::None,
                Bias::Rows(bias) => TileBias::Rows(chunk(&bias[row..])),
                Bias::Columns(bias) => {
                    let mut rest = &bias[column..];
                    let mut vectors = [simd.splat_f32s(0.0); V];
                    for vector in &mut vectors {
                        let (lanes, after) = rest.split_at(rest.len().min(S::F32_LANES));
                        *vector = simd.partial_load_f32s(lanes);
                        rest = after;
                    }
                    TileBias::Columns(vectors)
                }
            },
            norm: norm.map(
                #[inline(always)]
                |norm| chunk(&norm[row..]),
            ),
            limit: limit.map(
                #[inline(always)]
                |limit| limit.vectors(simd),
            ),
        }
    }
}

/// As many as a tile has rows.
#[inline(always)]
fn chunk<T, const R: usize>(all: &[T]) -> &[T; R] {
    all.as_chunks::<R>().0.first().expect("as many as rows")
}

/// A [`Finish`] for the rows and columns of a tile.
pub(super) struct TileFinish<'a, S: Simd, const R: usize, const V: usize> {
    bias: TileBias<'a, S, R, V>,
    norm: Option<&'a [Normal; R]>,
    limit: Option<LimitVectors<S>>,
}

enum TileBias<'a, S: Simd, const R: usize, const V: usize> {
    None,
    Rows(&'a [f32; R]),
    Columns([S::f32s; V]),
}

impl<S: Simd, const R: usize, const V: usize> TileFinish<'_, S, R, V> {
    /// What becomes of the sums of row `index` of the tile.
    #[inline(always)]
    pub fn row(&self, simd: S, step: Step, index: usize, mut row: [S::f32s; V]) -> [S::f32s; V] {
        match &self.bias {
            TileBias::None => {}
            TileBias::Rows(bias) => {
                let bias = simd.splat_f32s(bias[index]);
                for sum in &mut row {
                    *sum = simd.add_f32s(*sum, bias);
                }
            }
            TileBias::Columns(bias) => {
                for (sum, bias) in row.iter_mut().zip(bias) {
                    *sum = simd.add_f32s(*sum, *bias);
                }
            }
        }
        if let Some(norm) = self.norm {
            let normal = norm[index].vectors(simd);
            for value in &mut row {
                *value = normal.apply(simd, step, *value);
            }
        }
        if let Some(limit) = &self.limit {
            for value in &mut row {
                *value = limit.apply(simd, *value);
            }
        }
        row
    }
}

impl<'a> After<'a> {
    /// That of the rows from `first` on.
    pub fn starting_with(self, first: usize) -> Self {
        After { norm: self.norm.map(|norm| &norm[first..]), limit: self.limit }
    }

    #[inline(always)]
    fn number(self, step: Step, row: usize, x: f32) -> f32 {
        let x = match self.norm {
            Some(norm) => norm[row].number(step, x),
            None => x,
        };
        match self.limit {
            Some(limit) => limit.number(x),
            None => x,
        }
    }

    /// What [`AfterVectors::apply`] does with row `row`.
    #[inline(always)]
    pub fn vectors<S: Simd>(self, simd: S, row: usize) -> AfterVectors<S> {
        AfterVectors {
            norm: self.norm.map(
                #[inline(always)]
                |norm| norm[row].vectors(simd),
            ),
            limit: self.limit.map(
                #[inline(always)]
                |limit| limit.vectors(simd),
            ),
        }
    }
}

/// What comes after, for a channel in vectors.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct AfterVectors<S: Simd> {
    norm: Option<NormalVectors<S>>,
    limit: Option<LimitVectors<S>>,
}

impl<S: Simd> AfterVectors<S> {
    /// The numbers that become of some.
    #[inline(always)]
    pub fn apply(&self, simd: S, step: Step, mut x: S::f32s) -> S::f32s {
        if let Some(norm) = &self.norm {
            x = norm.apply(simd, step, x);
        }
        if let Some(limit) = &self.limit {
            x = limit.apply(simd, x);
        }
        x
    }
}

impl Limit {
    /// As the kernels do it: what is not a number stays, and a zero its sign.
    #[inline(always)]
    pub fn number(self, x: f32) -> f32 {
        let Limit(low, high) = self;
        let limited = if x < low { low } else { x };
        if limited > high { high } else { limited }
    }

    #[inline(always)]
    fn vectors<S: Simd>(self, simd: S) -> LimitVectors<S> {
        LimitVectors { low: simd.splat_f32s(self.0), high: simd.splat_f32s(self.1) }
    }
}

#[derive(Clone, Copy)]
struct LimitVectors<S: Simd> {
    low: S::f32s,
    high: S::f32s,
}

impl<S: Simd> LimitVectors<S> {
    /// [`Limit::number`] of each.
    #[inline(always)]
    fn apply(self, simd: S, x: S::f32s) -> S::f32s {
        // Vectors of x86 take the second number if one is none, or if both are zero.
        if cfg!(any(target_arch = "x86", target_arch = "x86_64")) && S::F32_LANES > 1 {
            return simd.min_f32s(self.high, simd.max_f32s(self.low, x));
        }
        let limited = simd.select_f32s(simd.less_than_f32s(x, self.low), self.low, x);
        simd.select_f32s(simd.less_than_f32s(self.high, limited), self.high, limited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::means::Rounding;
    use crate::kernels::simd::with_step;
    use alloc::vec::Vec;

    /// All that comes after, for rows of one vector each, as vectors have it.
    struct InVectors<'a> {
        finish: Finish<'a>,
        rounding: Rounding,
        values: &'a [f32],
    }

    impl pulp::WithSimd for InVectors<'_> {
        type Output = Vec<(f32, f32)>;

        /// Each number as vectors have it, and as it is alone.
        fn with_simd<S: Simd>(self, simd: S) -> Vec<(f32, f32)> {
            with_step::<S, _>(self.rounding, |step| {
                let mut results = Vec::new();
                for (column, value) in self.values.iter().enumerate() {
                    let tile = self.finish.tile::<S, 2, 1>(simd, (0, column));
                    for row in 0..2 {
                        let vector = tile.row(simd, step, row, [simd.splat_f32s(*value)]);
                        let first: &[f32] = bytemuck::cast_slice(&vector);
                        results.push((first[0], self.finish.number(step, (row, column), *value)));
                    }
                }
                results
            })
        }
    }

    #[test]
    fn vectors_do_to_each_number_what_is_done_to_one() {
        let values = [1.5, -0.0, 0.0, -7.25, 6.0, 1e30, f32::INFINITY, f32::NAN, -1e-40];
        let norm = [[0.3, 1.7, -0.9, 0.1], [-2.0, 0.01, 3.0, -0.0]].map(Normal::new);
        let by_row = [0.25, -0.0];
        let by_column: Vec<f32> = (0..values.len()).map(|c| c as f32 - 3.5).collect();
        let limits =
            [None, Some(Limit(0.0, f32::INFINITY)), Some(Limit(0.0, 6.0)), Some(Limit(-1.0, 0.0))];
        for rounding in [Rounding::Twice, Rounding::Once] {
            for bias in [Bias::None, Bias::Rows(&by_row), Bias::Columns(&by_column)] {
                for norm in [None, Some(&norm[..])] {
                    for limit in limits {
                        let finish = Finish { bias, after: After { norm, limit } };
                        let task = InVectors { finish, rounding, values: &values };
                        for (vector, alone) in pulp::Arch::new().dispatch(task) {
                            let same = vector.to_bits() == alone.to_bits();
                            assert!(same || vector.is_nan() && alone.is_nan(), "{vector} {alone}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_limit_keeps_what_is_no_number_and_the_sign_of_zero() {
        let relu = Limit(0.0, f32::INFINITY);
        assert!(relu.number(f32::NAN).is_nan());
        assert!(relu.number(-0.0).is_sign_negative());
        assert_eq!(relu.number(-3.0).to_bits(), 0.0f32.to_bits());
    }
}
