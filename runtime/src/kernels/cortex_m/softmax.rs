//! Softmax over the last dimension in fixed-point arithmetic, `arm_softmax_s8`:
//! numbers have 5 integer bits before the exponential, none after it.

use super::int8;
use super::requantize::{divide_by_power_of_two, high_product};
use crate::error::{KernelResult, ensure};
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::TensorMut;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[("cortex_m::softmax.out", softmax)];

/// Bits that exponentials lose before they are added.
const ACCUMULATOR_BITS: u32 = 12;

/// The zero point that results have.
const ZERO_POINT: i64 = -128;

struct Softmax {
    multiplier: i32,
    shift: u32,
    /// Least distance from the largest element that counts.
    least: i32,
}

fn softmax(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, dim, out) = (args.tensor(0)?, args.int(1)?, &mut outs[0]);
    int8(&[&input, out])?;
    let rank = input.rank() as i64;
    ensure!(
        (dim == rank - 1 || dim == -1) && input.is_contiguous() && rank > 0,
        "dimension {dim} of {:?}: expected the last one, innermost in memory",
        input.sizes()
    );
    let zero_point = args.int(3)?;
    ensure!(zero_point == ZERO_POINT, "zero point {zero_point}, expected {ZERO_POINT}");
    let (multiplier, shift, least) = (args.int(4)?, args.int(5)?, args.int(6)?);
    ensure!(
        i32::try_from(multiplier).is_ok()
            && (0..=31).contains(&shift)
            && i32::try_from(least).is_ok(),
        "multiplier {multiplier}, shift {shift} and least difference {least}"
    );
    let softmax =
        Softmax { multiplier: multiplier as i32, shift: shift as u32, least: least as i32 };
    let width = input.size(input.rank() - 1);
    out.resize(input.sizes())?;
    ensure!(out.is_contiguous(), "input and output differ in layout");
    ensure!(input.numel() > 0, "softmax of no elements");
    softmax.rows(input.data()?, width, out)
}

impl Softmax {
    fn rows(&self, input: &[i8], width: usize, out: &mut TensorMut<'_>) -> KernelResult {
        for (row, out) in
            input.chunks_exact(width).zip(out.data_mut::<i8>()?.chunks_exact_mut(width))
        {
            self.row(row, out);
        }
        Ok(())
    }

    /// The exponential of an element's distance from the largest, with 31 fractional bits.
    fn exponential(&self, difference: i32) -> i32 {
        let scaled = difference.wrapping_shl(self.shift);
        exp_of_negative(saturating_product(scaled, self.multiplier))
    }

    fn row(&self, input: &[i8], out: &mut [i8]) {
        let largest = input.iter().copied().max().map_or(0, i32::from);
        let difference = |value: i8| i32::from(value) - largest;
        let counted = |d: &i32| *d >= self.least;
        let sum = input
            .iter()
            .map(|v| difference(*v))
            .filter(counted)
            .map(|d| divide_by_power_of_two(self.exponential(d), ACCUMULATOR_BITS))
            .fold(0, i32::wrapping_add);
        let headroom = sum.leading_zeros();
        let fraction = if sum > 0 { sum.wrapping_shl(headroom) } else { 0 };
        let scale = one_over_one_plus(fraction.wrapping_sub(i32::MIN));
        // At most 35, for a sum that is too large for 32 bits; a shift by 31 leaves as little.
        let exponent = (ACCUMULATOR_BITS + 23).saturating_sub(headroom).min(31);
        for (value, out) in input.iter().zip(out) {
            let d = difference(*value);
            *out = if counted(&d) {
                let share = saturating_product(scale, self.exponential(d));
                let result = divide_by_power_of_two(share, exponent) - 128;
                result.clamp(i8::MIN.into(), i8::MAX.into()) as i8
            } else {
                i8::MIN
            };
        }
    }
}

/// `a * b / 2^31`; the only product that does not fit is the largest number.
fn saturating_product(a: i32, b: i32) -> i32 {
    if a == i32::MIN && b == i32::MIN { i32::MAX } else { high_product(a, b) }
}

/// `value * 2^exponent` within 32 bits.
fn saturating_shift(value: i32, exponent: u32) -> i32 {
    value.saturating_mul(1 << exponent)
}

/// e^x for x from -32 to 0: x has 26 fractional bits, the result 31.
///
/// What is left of x below a quarter goes through a polynomial around -1/8; each bit of
/// the quarters above multiplies by a constant.
fn exp_of_negative(value: i32) -> i32 {
    const QUARTER_BITS: u32 = 24;
    const EXP_OF_MINUS_EIGHTH: i32 = 1_895_147_668;
    const THIRD: i32 = 715_827_883;
    /// e^-(1/4), e^-(1/2), e^-1, … e^-16.
    const POWERS: [i32; 7] =
        [1_672_461_947, 1_302_514_674, 790_015_084, 290_630_308, 39_332_535, 720_401, 242];
    if value == 0 {
        return i32::MAX;
    }
    let below = (value & ((1 << QUARTER_BITS) - 1)) - (1 << QUARTER_BITS);
    let quarters = below.wrapping_sub(value);
    let x = (below << 5) + (1 << 28);
    let x2 = saturating_product(x, x);
    let x3 = saturating_product(x2, x);
    let x4 = saturating_product(x2, x2);
    let high_terms = saturating_product(divide_by_power_of_two(x4, 2) + x3, THIRD);
    let terms = x + divide_by_power_of_two(high_terms + x2, 1);
    let start = EXP_OF_MINUS_EIGHTH + saturating_product(EXP_OF_MINUS_EIGHTH, terms);
    POWERS.iter().enumerate().fold(start, |result, (bit, power)| {
        let set = quarters & (1 << (QUARTER_BITS + bit as u32)) != 0;
        if set { saturating_product(result, *power) } else { result }
    })
}

/// 1 / (1 + x) for x from 0 to 1, both with 31 fractional bits, in three steps of Newton's method.
fn one_over_one_plus(value: i32) -> i32 {
    /// 48/17 and -32/17 with 29 fractional bits: the first guess.
    const GUESS: (i32, i32) = (1_515_870_810, -1_010_580_540);
    const ONE: i32 = 1 << 29;
    let sum = i64::from(value) + i64::from(i32::MAX);
    let half = ((sum + if sum >= 0 { 1 } else { -1 }) / 2) as i32;
    let mut x = GUESS.0.wrapping_add(saturating_product(half, GUESS.1));
    for _ in 0..3 {
        let error = ONE.wrapping_sub(saturating_product(half, x));
        x = x.wrapping_add(saturating_shift(saturating_product(x, error), 2));
    }
    saturating_shift(x, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_and_reciprocals_are_near_the_real_ones() {
        for step in 0..320 {
            let x = -f64::from(step) / 20.0;
            let fixed = exp_of_negative((x * f64::from(1 << 26)) as i32);
            assert!((f64::from(fixed) / 2f64.powi(31) - x.exp()).abs() < 1e-6, "e^{x}");
        }
        for step in 0..100 {
            let x = f64::from(step) / 100.0;
            let fixed = one_over_one_plus((x * 2f64.powi(31)) as i32);
            assert!((f64::from(fixed) / 2f64.powi(31) - 1.0 / (1.0 + x)).abs() < 1e-6, "1/(1+{x})");
        }
    }
}
