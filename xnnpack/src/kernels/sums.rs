//! What becomes of sums: float32, or integers with their scales.

use crate::product::Sums;
use crate::tensor::Row;

/// Products of 8-bit numbers, the left less its zero point, whose sum stays
/// below 2^24: `2^24 / (255 * 128)`.
const EXACT: usize = 512;

/// Float32 with a bias per column.
pub(crate) struct Floats<'a> {
    /// Empty for none.
    pub bias: &'a [f32],
    pub clamp: (f32, f32),
}

impl Sums for Floats<'_> {
    type Total = f32;
    type Out = f32;

    #[inline(always)]
    fn floats(&self) -> Option<(&[f32], (f32, f32))> {
        Some((self.bias, self.clamp))
    }

    fn piece(&self) -> Option<usize> {
        None
    }

    #[inline(always)]
    fn add(&self, _piece: usize, column: usize, sums: &[f32], totals: &mut [f32]) {
        totals.copy_from_slice(sums);
        if let Some(bias) = self.bias.get(column..column + sums.len()) {
            totals.iter_mut().zip(bias).for_each(|(total, bias)| *total += bias);
        }
    }

    #[inline(always)]
    fn store(&self, _row: usize, _column: usize, totals: &[f32], out: &mut [f32]) {
        let (low, high) = self.clamp;
        for (out, total) in out.iter_mut().zip(totals) {
            *out = total.max(low).min(high);
        }
    }
}

/// How sums of integers become integers of the output: XNNPACK's float32
/// requantization, which rounds to even.
#[derive(Clone, Debug)]
pub(crate) struct Requantization {
    /// Input scale × weight scale / output scale: one per column, or one for all.
    pub scales: Vec<f32>,
    pub zero: i32,
    /// Lowest and highest number of the output.
    pub range: (i32, i32),
}

impl Requantization {
    /// The number that stands for `sum`.
    #[inline(always)]
    pub fn apply(&self, column: usize, sum: i32) -> i16 {
        let scale = if self.scales.len() == 1 { self.scales[0] } else { self.scales[column] };
        requantize(sum as f32 * scale, self.zero, self.range)
    }
}

/// The integer of a range that stands for `scaled` with zero point `zero`.
#[inline(always)]
pub(crate) fn requantize(scaled: f32, zero: i32, (low, high): (i32, i32)) -> i16 {
    let (low, high) = ((low - zero) as f32, (high - zero) as f32);
    let rounded = scaled.max(low).min(high).round_ties_even();
    // Within the range of an 8-bit type and its zero point.
    (rounded as i32 + zero) as i16
}

/// Integers of the whole tensor's scale, with a bias per column.
pub(crate) struct Integers<'a> {
    /// Empty for none.
    pub bias: &'a [i32],
    pub requantization: &'a Requantization,
}

impl Sums for Integers<'_> {
    type Total = i32;
    type Out = i16;

    fn piece(&self) -> Option<usize> {
        Some(EXACT)
    }

    #[inline(always)]
    fn add(&self, _piece: usize, _column: usize, sums: &[f32], totals: &mut [i32]) {
        add_exact(sums, totals);
    }

    #[inline(always)]
    fn store(&self, _row: usize, column: usize, totals: &[i32], out: &mut [i16]) {
        for (offset, (out, total)) in out.iter_mut().zip(totals).enumerate() {
            let bias = self.bias.get(column + offset).copied().unwrap_or(0);
            *out = self.requantization.apply(column + offset, total.wrapping_add(bias));
        }
    }
}

#[inline(always)]
fn add_exact(sums: &[f32], totals: &mut [i32]) {
    for (total, sum) in totals.iter_mut().zip(sums) {
        *total = total.wrapping_add(*sum as i32);
    }
}

/// Integers quantized by row at run time, to float32.
pub(crate) struct ByRow<'a> {
    pub rows: &'a [Row],
    /// Rows of the product that share a row of the input.
    pub share: usize,
    /// Of the weights, one per column or one for all.
    pub scales: &'a [f32],
    pub bias: &'a [f32],
    pub clamp: (f32, f32),
}

impl Sums for ByRow<'_> {
    type Total = i32;
    type Out = f32;

    fn piece(&self) -> Option<usize> {
        Some(EXACT)
    }

    #[inline(always)]
    fn add(&self, _piece: usize, _column: usize, sums: &[f32], totals: &mut [i32]) {
        add_exact(sums, totals);
    }

    #[inline(always)]
    fn store(&self, row: usize, column: usize, totals: &[i32], out: &mut [f32]) {
        let scale = self.rows[row / self.share].scale;
        let (low, high) = self.clamp;
        for (offset, (out, total)) in out.iter_mut().zip(totals).enumerate() {
            let own = if self.scales.len() == 1 { 0 } else { column + offset };
            let bias = self.bias.get(column + offset).copied().unwrap_or(0.0);
            let scaled = *total as f32 * scale * self.scales[own] + bias;
            *out = scaled.max(low).min(high);
        }
    }
}

/// As [`ByRow`], with a scale per group of weights.
pub(crate) struct ByGroup<'a> {
    pub rows: &'a [Row],
    /// All groups of the first column, then the next.
    pub scales: &'a [f32],
    pub groups: usize,
    pub size: usize,
    pub bias: &'a [f32],
    pub clamp: (f32, f32),
}

impl Sums for ByGroup<'_> {
    type Total = f32;
    type Out = f32;

    fn piece(&self) -> Option<usize> {
        Some(self.size)
    }

    #[inline(always)]
    fn add(&self, piece: usize, column: usize, sums: &[f32], totals: &mut [f32]) {
        for (offset, (total, sum)) in totals.iter_mut().zip(sums).enumerate() {
            *total += sum * self.scales[(column + offset) * self.groups + piece];
        }
    }

    #[inline(always)]
    fn store(&self, row: usize, column: usize, totals: &[f32], out: &mut [f32]) {
        let scale = self.rows[row].scale;
        let (low, high) = self.clamp;
        for (offset, (out, total)) in out.iter_mut().zip(totals).enumerate() {
            let bias = self.bias.get(column + offset).copied().unwrap_or(0.0);
            *out = (total * scale + bias).max(low).min(high);
        }
    }
}
