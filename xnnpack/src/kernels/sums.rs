//! What becomes of sums: float32, or integers with their scales.

use crate::dot::{Finish, MOST_ROWS, Out, Packed, Sums, Target, WIDEST};
use crate::product::{Floats, vectors};
use crate::tensor::Row;

/// How sums of integers become integers of the output: XNNPACK's float32
/// requantization, which rounds to even.
#[derive(Clone, Debug)]
pub(crate) struct Requantization {
    /// Input scale × weight scale / output scale of each column, with as many
    /// more as fill the last panel.
    pub scales: Vec<f32>,
    /// What is added to the sum of each column: its bias, less what the zero
    /// point of the input adds up to.
    pub bias: Vec<i32>,
    /// Zero point of the input.
    pub input: i32,
    /// Zero point of the output.
    pub zero: i32,
    /// Lowest and highest number of the output.
    pub range: (i32, i32),
}

impl Requantization {
    /// The numbers that stand for `N` sums of the columns from `column` on.
    #[inline(always)]
    pub fn columns<const N: usize>(&self, column: usize) -> Columns<'_, N> {
        let scales = self.scales[column..].first_chunk().expect("as many scales");
        let bias = self.bias[column..].first_chunk().expect("as many numbers");
        Columns { scales, bias, zero: self.zero, range: self.range }
    }
}

/// `N` columns: loops over them are made of whole vectors.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'a, const N: usize> {
    scales: &'a [f32; N],
    bias: &'a [i32; N],
    zero: i32,
    range: (i32, i32),
}

impl<const N: usize> Columns<'_, N> {
    /// The numbers that stand for their sums.
    #[inline(always)]
    pub fn numbers(self, sums: &[i32; N]) -> [u8; N] {
        let mut bytes = [0; N];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let sum = sums[index].wrapping_add(self.bias[index]) as f32;
            *byte = requantize(sum * self.scales[index], self.zero, self.range);
        }
        bytes
    }
}

/// One of a layer's.
pub(crate) struct Shared<'a>(pub &'a Requantization);

impl Finish for Shared<'_> {
    fn zero(&self, _row: usize) -> i32 {
        self.0.input
    }

    fn sums(&self, sums: &Sums<'_>, out: &mut Out<'_>, target: Target) {
        let Out::Bytes(out) = out else { return };
        vectors(
            #[inline(always)]
            || match sums.count {
                WIDEST => self.rows::<WIDEST>(sums, out, target),
                16 => self.rows::<16>(sums, out, target),
                _ => self.rows::<8>(sums, out, target),
            },
        );
    }
}

impl Shared<'_> {
    /// Rows of `N` sums, which are vectors.
    #[inline(always)]
    fn rows<const N: usize>(&self, sums: &Sums<'_>, out: &mut [u8], target: Target) {
        let columns = self.0.columns::<N>(sums.column);
        let used = target.used.min(N);
        for (index, row) in sums.rows.iter().enumerate() {
            let bytes = columns.numbers(row.first_chunk().expect("as many sums"));
            let out = &mut out[target.start + index * target.stride..][..used];
            // Copies of a length that is known are no calls.
            match used {
                used if used == N => out.copy_from_slice(&bytes),
                24 => out.copy_from_slice(&bytes[..24]),
                16 => out.copy_from_slice(&bytes[..16]),
                8 => out.copy_from_slice(&bytes[..8]),
                used => out.iter_mut().zip(&bytes[..used]).for_each(|(out, byte)| *out = *byte),
            }
        }
    }
}

/// `x + this` has no fraction, for `x` from -2^22 to 2^22: it is rounded to even.
const WHOLE: f32 = 12_582_912.0;

/// The integer of a range that stands for `scaled` with zero point `zero`.
#[inline(always)]
pub(crate) fn requantize(scaled: f32, zero: i32, (low, high): (i32, i32)) -> u8 {
    // Comparisons, as `f32::max` would look for NaN, which becomes the lowest number.
    let (low, high) = ((low - zero) as f32, (high - zero) as f32);
    let scaled = if scaled > low { scaled } else { low };
    let scaled = if scaled < high { scaled } else { high };
    let rounded = (scaled + WHOLE).to_bits().wrapping_sub(WHOLE.to_bits()).cast_signed();
    // Within the range of an 8-bit type and its zero point.
    (rounded + zero) as u8
}

/// Integers quantized by row at run time, to float32.
pub(crate) struct ByRow<'a> {
    pub rows: &'a [Row],
    /// Rows of the product that share a row of the input.
    pub share: usize,
    pub packed: &'a Packed,
    /// Of the weights, one per column or one for all.
    pub scales: &'a [f32],
    pub stored: Floats<'a>,
}

impl Finish for ByRow<'_> {
    fn zero(&self, row: usize) -> i32 {
        self.rows[row / self.share].zero
    }

    fn sums(&self, sums: &Sums<'_>, out: &mut Out<'_>, target: Target) {
        let Out::Floats(out) = out else { return };
        let columns = sums.column..sums.column + target.used;
        let own = &self.packed.totals()[columns.clone()];
        let scales = self.scales.get(columns).filter(|_| self.scales.len() > 1);
        vectors(
            #[inline(always)]
            || {
                for (index, row) in sums.rows.iter().enumerate() {
                    let Row { scale, zero } = self.rows[(sums.row + index) / self.share];
                    let out = &mut out[target.start + index * target.stride..][..target.used];
                    for ((out, sum), own) in out.iter_mut().zip(row).zip(own) {
                        *out = sum.wrapping_sub(zero.wrapping_mul(*own)) as f32 * scale;
                    }
                    match scales {
                        Some(all) => out.iter_mut().zip(all).for_each(|(out, own)| *out *= own),
                        None => out.iter_mut().for_each(|out| *out *= self.scales[0]),
                    }
                    self.stored.finish(sums.column, out);
                }
            },
        );
    }
}

/// As [`ByRow`], with a scale per group of weights.
pub(crate) struct ByGroup<'a> {
    pub rows: &'a [Row],
    /// The first group of all columns, then the next.
    pub scales: &'a [f32],
    pub columns: usize,
    /// What each column adds up to, group by group.
    pub totals: &'a [i32],
    pub stored: Floats<'a>,
}

impl Finish for ByGroup<'_> {
    fn zero(&self, row: usize) -> i32 {
        self.rows[row].zero
    }

    fn sums(&self, sums: &Sums<'_>, out: &mut Out<'_>, target: Target) {
        // One piece that is all of it.
        let mut totals = [[0.0; WIDEST]; MOST_ROWS];
        let totals = &mut totals[..sums.rows.len()];
        self.add(0, &self.totals[sums.column..], sums, totals);
        self.totals((sums.row, sums.column), totals, out, target);
    }

    fn add(&self, piece: usize, own: &[i32], sums: &Sums<'_>, totals: &mut [[f32; WIDEST]]) {
        let scales = &self.scales[piece * self.columns..][..self.columns][sums.column..];
        vectors(
            #[inline(always)]
            || {
                for (index, (row, totals)) in sums.rows.iter().zip(totals).enumerate() {
                    let zero = self.rows[sums.row + index].zero;
                    let terms = row.iter().zip(own).zip(scales);
                    for (total, ((sum, own), scale)) in totals.iter_mut().zip(terms) {
                        *total += sum.wrapping_sub(zero.wrapping_mul(*own)) as f32 * scale;
                    }
                }
            },
        );
    }

    fn totals(
        &self,
        (row, column): (usize, usize),
        totals: &[[f32; WIDEST]],
        out: &mut Out<'_>,
        target: Target,
    ) {
        let Out::Floats(out) = out else { return };
        vectors(
            #[inline(always)]
            || {
                for (index, totals) in totals.iter().enumerate() {
                    let scale = self.rows[row + index].scale;
                    let out = &mut out[target.start + index * target.stride..][..target.used];
                    out.iter_mut().zip(totals).for_each(|(out, total)| *out = total * scale);
                    self.stored.finish(column, out);
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_to_even_and_stay_in_their_range() {
        let all = [(0.5, 0), (1.5, 2), (-2.5, -2), (-3.500_01, -4), (1e9, 120), (-1e9, -100)];
        for (scaled, expected) in all {
            assert_eq!(requantize(scaled, 130, (30, 250)), (expected + 130) as u8, "{scaled}");
        }
        assert_eq!(requantize(f32::NAN, 130, (30, 250)), 30);
        assert_eq!(requantize(f32::INFINITY, 0, (0, 255)), 255);
    }
}
