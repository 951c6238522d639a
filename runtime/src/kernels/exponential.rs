//! `e^x` in float32, in arithmetic that vectors have.

/// `e^x` in float32, to the last bit or the one before it.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    // Adding this leaves a number rounded to an integer in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let rounded = x * core::f32::consts::LOG2_E + ROUND;
    let k = rounded - ROUND;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let q =
        (((1.393_454_5e-3 * r + 8.363_776e-3) * r + 4.166_645_7e-2) * r + 0.166_665_73) * r + 0.5;
    let power = (rounded.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    // Two factors, so that neither leaves the range of normal numbers.
    let half = power >> 1;
    let scale = |n: i32| f32::from_bits((n.wrapping_add(127) as u32) << 23);
    (q * r * r + r + 1.0) * scale(half) * scale(power.wrapping_sub(half))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::elementwise::math::Real;

    #[test]
    fn exponential_is_exact_to_the_last_bits() {
        for i in -10_400..8_900 {
            let x = i as f32 / 100.0;
            let (found, expected) = (exp(x), Real::exp(x));
            let ulps = found.to_bits().abs_diff(expected.to_bits());
            assert!(ulps <= 2, "e^{x}: {found:e}, expected {expected:e}");
        }
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert!(exp(f32::NAN).is_nan());
    }
}
