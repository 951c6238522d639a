//! float32 to int8 or uint8 and back, many at a time: what most quantized
//! programs spend their time with. The results are those of the general way in
//! [`affine`](super::affine).

use super::affine::quantized;
use crate::kernels::simd::vectorized;
use et_schema::ScalarType;

/// Whether values of this type are quantized integers of one byte.
pub(super) fn are(scalar_type: ScalarType) -> bool {
    matches!(scalar_type, ScalarType::Byte | ScalarType::Char)
}

/// Quantizes to integers from `low` to `high`, which fit a byte of their type.
pub(super) fn quantize(
    source: &[f32],
    target: &mut [u8],
    inverse: f32,
    zero_point: i64,
    (low, high): (i64, i64),
) {
    if zero_point.abs() >= NEAR {
        for (x, q) in source.iter().zip(target) {
            *q = quantized(*x, inverse, zero_point, low, high) as u8;
        }
        return;
    }
    // All three fit 32 bits by far.
    let (zero, least, most) = (zero_point as i32, low as i32, high as i32);
    vectorized(
        #[inline(always)]
        || {
            for (x, q) in source.iter().zip(target) {
                // The low byte is that of either type.
                *q = (zero + rounded(*x * inverse)).max(least).min(most) as u8;
            }
        },
    );
}

/// Zero points beyond this do not leave a byte's range where [`rounded`] ends.
const NEAR: i64 = 1 << 20;

/// Rounds to an integer, half to even; what is beyond 2^22 either way stays there, and what
/// fits no 32-bit integer, NaN included, is below, as [`quantized`] has it.
///
/// Comparisons and additions only: a conversion that saturates is made one by one.
#[inline(always)]
fn rounded(scaled: f32) -> i32 {
    const END: f32 = 4_194_304.0;
    const FITS: f32 = 2_147_483_648.0;
    // `scaled + WHOLE` has no fraction.
    const WHOLE: f32 = 12_582_912.0;
    let above = if scaled < FITS { END } else { -END };
    let scaled = if scaled < END { scaled } else { above };
    let scaled = if scaled > -END { scaled } else { -END };
    (scaled + WHOLE).to_bits().wrapping_sub(WHOLE.to_bits()).cast_signed()
}

/// Zero points beyond this could leave 32 bits.
const FAR: i64 = 1 << 30;

/// Dequantizes bytes of type `from`.
pub(super) fn dequantize(
    from: ScalarType,
    source: &[u8],
    target: &mut [f32],
    scale: f32,
    zero_point: i64,
) {
    if zero_point.abs() >= FAR {
        for (q, x) in source.iter().zip(target) {
            let q = if from == ScalarType::Char { i64::from(*q as i8) } else { i64::from(*q) };
            *x = q.wrapping_sub(zero_point) as f32 * scale;
        }
        return;
    }
    let zero = zero_point as i32;
    vectorized(
        #[inline(always)]
        || {
            let pairs = source.iter().zip(target);
            if from == ScalarType::Char {
                pairs.for_each(|(q, x)| *x = (i32::from(*q as i8) - zero) as f32 * scale);
            } else {
                pairs.for_each(|(q, x)| *x = (i32::from(*q) - zero) as f32 * scale);
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn bytes_are_those_of_the_general_way() {
        let values =
            [0.0, -0.5, 0.5, 1.5, 2.5, -2.5, 127.4, 5.6e6, -5.6e6, 1e9, -1e9, 3e9, -3e9, 1e30];
        let mut values: Vec<f32> = values.to_vec();
        values.extend([f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
        for (low, high) in [(-128, 127), (0, 255), (-8, 7)] {
            let far = [i64::from(i32::MAX), i64::from(i32::MIN), 1 << 40, NEAR, NEAR - 1, 1 - NEAR];
            for zero_point in [0, -3, 130].into_iter().chain(far) {
                let mut bytes = alloc::vec![0; values.len()];
                quantize(&values, &mut bytes, 0.75, zero_point, (low, high));
                for (x, q) in values.iter().zip(&bytes) {
                    let expected = quantized(*x, 0.75, zero_point, low, high) as u8;
                    assert_eq!(*q, expected, "{x} with zero at {zero_point}");
                }
            }
        }
    }

    #[test]
    fn floats_are_those_of_the_general_way() {
        let bytes: Vec<u8> = (0..=255).collect();
        for from in [ScalarType::Byte, ScalarType::Char] {
            for zero_point in [0, -128, 77, FAR - 1, FAR, -(1 << 40)] {
                let mut floats = alloc::vec![0.0; bytes.len()];
                dequantize(from, &bytes, &mut floats, 0.031, zero_point);
                for (q, x) in bytes.iter().zip(&floats) {
                    let signed = from == ScalarType::Char;
                    let q = if signed { i64::from(*q as i8) } else { i64::from(*q) };
                    assert_eq!(*x, (q - zero_point) as f32 * 0.031);
                }
            }
        }
    }
}
