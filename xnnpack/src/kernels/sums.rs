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
    fn add(
        &self,
        _piece: usize,
        (column, count): (usize, usize),
        sums: &[f32],
        totals: &mut [f32],
    ) {
        totals.copy_from_slice(sums);
        if let Some(bias) = self.bias.get(column..column + count) {
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
    /// Input scale × weight scale / output scale of each column.
    pub scales: Vec<f32>,
    pub zero: i32,
    /// Lowest and highest number of the output.
    pub range: (i32, i32),
}

impl Requantization {
    /// The numbers that stand for the sums of the columns from `column` on, to
    /// which `bias` is added, if there is one.
    #[inline(always)]
    pub fn all(&self, column: usize, sums: &[i32], bias: &[i32], out: &mut [i16]) {
        let columns = column..column + out.len();
        let scales = self.scales[columns.clone()].iter();
        let own = |sum: i32, scale: f32| requantize(sum as f32 * scale, self.zero, self.range);
        match bias.get(columns) {
            Some(bias) => {
                let terms = sums.iter().zip(scales).zip(bias);
                for (out, ((sum, scale), bias)) in out.iter_mut().zip(terms) {
                    *out = own(sum.wrapping_add(*bias), *scale);
                }
            }
            None => {
                for (out, (sum, scale)) in out.iter_mut().zip(sums.iter().zip(scales)) {
                    *out = own(*sum, *scale);
                }
            }
        }
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
    fn add(&self, _piece: usize, _columns: (usize, usize), sums: &[f32], totals: &mut [i32]) {
        add_exact(sums, totals);
    }

    #[inline(always)]
    fn store(&self, _row: usize, column: usize, totals: &[i32], out: &mut [i16]) {
        self.requantization.all(column, totals, self.bias, out);
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
    fn add(&self, _piece: usize, _columns: (usize, usize), sums: &[f32], totals: &mut [i32]) {
        add_exact(sums, totals);
    }

    #[inline(always)]
    fn store(&self, row: usize, column: usize, totals: &[i32], out: &mut [f32]) {
        let scale = self.rows[row / self.share].scale;
        let (low, high) = self.clamp;
        let finish = |total: i32, own: f32, bias: f32| {
            (total as f32 * scale * own + bias).max(low).min(high)
        };
        let columns = column..column + out.len();
        let scales = self.scales.get(columns.clone()).filter(|_| self.scales.len() > 1);
        let (Some(scales), Some(bias)) = (scales, self.bias.get(columns)) else {
            for (offset, (out, total)) in out.iter_mut().zip(totals).enumerate() {
                let own = if self.scales.len() == 1 { 0 } else { column + offset };
                let bias = self.bias.get(column + offset).copied().unwrap_or(0.0);
                *out = finish(*total, self.scales[own], bias);
            }
            return;
        };
        for (((out, total), own), bias) in out.iter_mut().zip(totals).zip(scales).zip(bias) {
            *out = finish(*total, *own, *bias);
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
    fn add(&self, piece: usize, (column, count): (usize, usize), sums: &[f32], totals: &mut [f32]) {
        for (offset, (total, sum)) in totals.iter_mut().zip(sums).take(count).enumerate() {
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
