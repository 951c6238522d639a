//! Exponential functions of many float32 at once.
//!
//! They are computed in float64, in arithmetic that vectors have, and rounded
//! once. A mathematics library's own float32 functions are at most as exact:
//! what is off here is in the tenth digit after those that float32 keeps.

use crate::kernels::simd::vectorized;

/// `to[i] = e^from[i]`
pub(super) fn exps(from: &[f32], to: &mut [f32]) {
    each(from, to, exp);
}

/// `to[i] = 1 / (1 + e^-from[i])`, its steps rounded to float32 as ExecuTorch's kernel has them.
pub(super) fn sigmoids(from: &[f32], to: &mut [f32]) {
    each(
        from,
        to,
        #[inline(always)]
        |x| 1.0 / (1.0 + exp(-x)),
    );
}

/// `to[i] = tanh(from[i])`
pub(super) fn tanhs(from: &[f32], to: &mut [f32]) {
    each(from, to, tanh);
}

#[inline(always)]
fn each(from: &[f32], to: &mut [f32], f: impl Fn(f32) -> f32) {
    vectorized(
        #[inline(always)]
        || to.iter_mut().zip(from).for_each(|(to, from)| *to = f(*from)),
    );
}

#[inline(always)]
fn exp(x: f32) -> f32 {
    // Beyond these, float32 has infinity and zero.
    let x = f64::from(x);
    let x = if x > 90.0 { 90.0 } else { x };
    let x = if x < -110.0 { -110.0 } else { x };
    wide_exp(x) as f32
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    /// The series from here on is `x` to the last bit of a float64.
    const SMALL: f64 = 1e-4;
    let x = f64::from(x);
    let limited = if x > 20.0 { 20.0 } else { x };
    let limited = if limited < -20.0 { -20.0 } else { limited };
    let power = wide_exp(limited + limited);
    let quotient = (power - 1.0) / (power + 1.0);
    // A product, as a sum would lose the sign of zero.
    let near = x * (1.0 - x * x * (1.0 / 3.0));
    (if x.abs() < SMALL { near } else { quotient }) as f32
}

/// `e^x` for numbers whose power float64 holds, to some parts in 10^15.
#[inline(always)]
fn wide_exp(x: f64) -> f64 {
    /// `ln 2` in two parts, of which the first times any power here is exact.
    const LN_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
    const LN_2_LOW: f64 = core::f64::consts::LN_2 - LN_2_HIGH;
    /// Adding this leaves a number rounded to an integer in the lowest bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let rounded = x * core::f64::consts::LOG2_E + ROUND;
    let k = rounded - ROUND;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    // The series of e^r: at most half of ln 2 is left, whose 12th power no longer counts.
    let mut sum = 1.0 / 39_916_800.0;
    for divisor in
        [3_628_800.0, 362_880.0, 40_320.0, 5_040.0, 720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0]
    {
        sum = sum * r + 1.0 / divisor;
    }
    sum * f64::from_bits(rounded.to_bits().wrapping_add(1023) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// Many numbers of all sizes that float32 has, and the special ones.
    fn numbers() -> Vec<f32> {
        let spread = (0..200_000u32).map(|i| f32::from_bits(i.wrapping_mul(21_475)));
        let near = (-110_000..95_000).map(|i| i as f32 / 1000.0);
        let special = [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MIN_POSITIVE];
        spread.flat_map(|x| [x, -x]).chain(near).chain(special).collect()
    }

    /// Bits that differ from what float64 says, at most; zeros by their sign as well.
    fn farthest(function: fn(&[f32], &mut [f32]), exact: fn(f64) -> f64) -> (u32, f32) {
        let numbers = numbers();
        let mut found = alloc::vec![0.0; numbers.len()];
        function(&numbers, &mut found);
        let distance = |x: f32, found: f32| {
            let expected = exact(f64::from(x)) as f32;
            let same = found.is_nan() && expected.is_nan();
            if same { 0 } else { found.to_bits().abs_diff(expected.to_bits()) }
        };
        let pairs = numbers.iter().zip(&found);
        pairs.map(|(x, found)| (distance(*x, *found), *x)).max_by_key(|(far, _)| *far).unwrap()
    }

    #[test]
    fn functions_are_float64_rounded_once() {
        let (far, at) = farthest(exps, f64::exp);
        assert!(far <= 1, "e^{at} is {far} off");
        let (far, at) = farthest(tanhs, f64::tanh);
        assert!(far <= 1, "tanh {at} is {far} off");
    }

    #[test]
    fn few_results_are_rounded_the_other_way() {
        for (function, exact) in
            [(exps as fn(&[f32], &mut [f32]), f64::exp as fn(f64) -> f64), (tanhs, f64::tanh)]
        {
            let numbers = numbers();
            let mut found = alloc::vec![0.0; numbers.len()];
            function(&numbers, &mut found);
            let pairs = numbers.iter().zip(&found).filter(|(x, _)| !x.is_nan());
            let off = pairs.filter(|(x, found)| exact(f64::from(**x)) as f32 != **found).count();
            assert!(off <= 2, "{off} of {}", numbers.len());
        }
    }

    #[test]
    fn sigmoid_rounds_each_step() {
        let numbers = numbers();
        let mut found = alloc::vec![0.0; numbers.len()];
        sigmoids(&numbers, &mut found);
        for (x, found) in numbers.iter().zip(found) {
            let expected = 1.0 / (1.0 + (f64::from(-x).exp() as f32));
            let far = found.to_bits().abs_diff(expected.to_bits());
            assert!(far <= 1 || (found.is_nan() && expected.is_nan()), "{x}: {found} {expected}");
        }
    }
}
