//! Elements of every type, as 64-bit floats.

use et_schema::ScalarType;

/// The element in `bytes`, which has the type's size. Integers beyond 2^53
/// lose their last digits. `None` for types whose elements are no numbers of
/// their own: several in a byte, uninterpreted bits, or complex ones.
pub(super) fn number(scalar_type: ScalarType, bytes: &[u8]) -> Option<f64> {
    use ScalarType as T;
    Some(match scalar_type {
        T::Byte | T::QUInt8 => f64::from(*bytes.first()?),
        T::Bool => f64::from(u8::from(*bytes.first()? != 0)),
        T::Char | T::QInt8 => f64::from(*bytes.first()? as i8),
        T::Short => i16::from_le_bytes(bytes.try_into().ok()?).into(),
        T::UInt16 => u16::from_le_bytes(bytes.try_into().ok()?).into(),
        T::Int | T::QInt32 => i32::from_le_bytes(bytes.try_into().ok()?).into(),
        T::UInt32 => u32::from_le_bytes(bytes.try_into().ok()?).into(),
        T::Long => i64::from_le_bytes(bytes.try_into().ok()?) as f64,
        T::UInt64 => u64::from_le_bytes(bytes.try_into().ok()?) as f64,
        T::Half => half::f16::from_le_bytes(bytes.try_into().ok()?).into(),
        T::BFloat16 => half::bf16::from_le_bytes(bytes.try_into().ok()?).into(),
        T::Float => f32::from_le_bytes(bytes.try_into().ok()?).into(),
        T::Double => f64::from_le_bytes(bytes.try_into().ok()?),
        T::Float8E5M2 => small_float(*bytes.first()?, 2, Special::Ieee),
        T::Float8E4M3Fn => small_float(*bytes.first()?, 3, Special::OneNan),
        T::Float8E5M2Fnuz => small_float(*bytes.first()?, 2, Special::NegativeZeroIsNan),
        T::Float8E4M3Fnuz => small_float(*bytes.first()?, 3, Special::NegativeZeroIsNan),
        T::QUInt4x2 | T::QUInt2x4 | T::Bits16 => return None,
        T::ComplexHalf | T::ComplexFloat | T::ComplexDouble => return None,
    })
}

/// What an 8-bit float's unusual bit patterns mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Special {
    /// The highest exponent is infinity and NaN.
    Ieee,
    /// All ones are NaN, the rest of the highest exponent are numbers.
    OneNan,
    /// Negative zero is NaN, everything else is a number; the bias is one more.
    NegativeZeroIsNan,
}

/// An 8-bit float with `mantissa_bits` (Open Compute Project, OFP8).
fn small_float(bits: u8, mantissa_bits: u32, special: Special) -> f64 {
    let exponent_bits = 7 - mantissa_bits;
    let magnitude = bits & 0x7f;
    let exponent = i32::from(magnitude >> mantissa_bits);
    let mantissa =
        f64::from(magnitude & ((1 << mantissa_bits) - 1)) / f64::from(1u32 << mantissa_bits);
    let bias = (1 << (exponent_bits - 1)) - i32::from(special != Special::NegativeZeroIsNan);
    let sign = if bits & 0x80 != 0 { -1.0 } else { 1.0 };
    match special {
        Special::Ieee if exponent == (1 << exponent_bits) - 1 => {
            return if mantissa == 0.0 { sign * f64::INFINITY } else { f64::NAN };
        }
        Special::OneNan if magnitude == 0x7f => return f64::NAN,
        Special::NegativeZeroIsNan if bits == 0x80 => return f64::NAN,
        _ => {}
    }
    let scaled = match exponent {
        0 => mantissa * 2f64.powi(1 - bias),
        _ => (1.0 + mantissa) * 2f64.powi(exponent - bias),
    };
    sign * scaled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bit_floats_at_their_limits() {
        for (scalar_type, bits, value) in [
            (ScalarType::Float8E5M2, 0x7b, 57344.0),
            (ScalarType::Float8E5M2, 0x01, 2f64.powi(-16)),
            (ScalarType::Float8E5M2, 0xfc, f64::NEG_INFINITY),
            (ScalarType::Float8E4M3Fn, 0x7e, 448.0),
            (ScalarType::Float8E4M3Fn, 0x01, 2f64.powi(-9)),
            (ScalarType::Float8E4M3Fn, 0xb8, -1.0),
            (ScalarType::Float8E4M3Fnuz, 0x7f, 240.0),
            (ScalarType::Float8E5M2Fnuz, 0x7f, 57344.0),
            (ScalarType::Float8E5M2Fnuz, 0x01, 2f64.powi(-17)),
        ] {
            assert_eq!(number(scalar_type, &[bits]), Some(value), "{scalar_type} {bits:#x}");
        }
        assert!(number(ScalarType::Float8E5M2, &[0x7d]).unwrap().is_nan());
        assert!(number(ScalarType::Float8E4M3Fn, &[0xff]).unwrap().is_nan());
        assert!(number(ScalarType::Float8E4M3Fnuz, &[0x80]).unwrap().is_nan());
    }

    #[test]
    fn sixteen_bit_floats() {
        assert_eq!(number(ScalarType::Half, &[0x00, 0xbc]), Some(-1.0));
        assert_eq!(number(ScalarType::BFloat16, &[0x80, 0x3f]), Some(1.0));
    }

    #[test]
    fn packed_types_have_no_numbers() {
        assert_eq!(number(ScalarType::QUInt4x2, &[0x21]), None);
    }
}
