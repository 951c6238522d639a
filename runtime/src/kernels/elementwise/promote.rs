//! Type promotion: which type an operator computes in, and which types its
//! result may be stored as. The rules are those of PyTorch's `promoteTypes`,
//! `canCast` and `result_type` as ExecuTorch's `scalar_type_util.h` and
//! `scalar_utils.h` apply them.

use crate::tensor::Element;
use crate::value::Scalar;
use et_schema::ScalarType::{self, *};
use half::{bf16, f16};

/// The type that holds values of both types.
pub(in crate::kernels) fn promote(a: ScalarType, b: ScalarType) -> ScalarType {
    let rank = |t| match t {
        Bool => 0,
        Byte | Char => 1,
        Short => 2,
        Int => 3,
        Long => 4,
        Half | BFloat16 => 5,
        Float => 6,
        ComplexHalf => 8,
        ComplexFloat => 9,
        ComplexDouble => 10,
        _ => 7,
    };
    match (a, b) {
        _ if a == b => a,
        (Byte, Char) | (Char, Byte) => Short,
        (Half, BFloat16) | (BFloat16, Half) => Float,
        _ if rank(a) < rank(b) => b,
        _ => a,
    }
}

/// The type of a tensor combined with a number: the number's kind matters, its
/// size does not.
pub(in crate::kernels) fn promote_scalar(tensor: ScalarType, number: Scalar) -> ScalarType {
    match number {
        Scalar::Bool(_) => tensor,
        Scalar::Int(_) if tensor == Bool => Long,
        Scalar::Double(_) if !tensor.is_floating() => Float,
        _ => tensor,
    }
}

/// Whether results of type `from` may be stored as `to`: never a float as an
/// integer, nor a number as a bool.
pub(in crate::kernels) fn can_cast(from: ScalarType, to: ScalarType) -> bool {
    let truncates = from.is_floating() && to.is_integral(false);
    let loses_part = from.is_complex() && !to.is_complex();
    !truncates && !loses_part && (from == Bool || to != Bool)
}

/// The type in which values of type `common` are computed: float32 for the
/// 16-bit floats.
pub(in crate::kernels) fn compute_type(common: ScalarType) -> ScalarType {
    match common {
        Half | BFloat16 => Float,
        other => other,
    }
}

/// The type of a number.
pub(in crate::kernels) fn scalar_dtype(number: Scalar) -> ScalarType {
    match number {
        Scalar::Int(_) => Long,
        Scalar::Double(_) => Double,
        Scalar::Bool(_) => Bool,
    }
}

/// Whether `number` converts to `to` without leaving its range. Negative
/// integers wrap around in unsigned types as long as their magnitude fits, and
/// floats keep NaN and infinity.
pub(in crate::kernels) fn fits(number: Scalar, to: ScalarType) -> bool {
    let (low, high) = range(to);
    match number {
        Scalar::Bool(_) => true,
        Scalar::Int(value) if to == Byte => value.unsigned_abs() <= u8::MAX.into(),
        Scalar::Int(_) if to == Long => true,
        Scalar::Double(value) if to.is_floating() && !value.is_finite() => true,
        number => (low..=high).contains(&number.to_f64()),
    }
}

/// Lowest and highest value of a type, infinite for bool, which takes any.
pub(in crate::kernels) fn range(scalar_type: ScalarType) -> (f64, f64) {
    let symmetric = |high: f64| (-high, high);
    match scalar_type {
        Byte => (0.0, u8::MAX.into()),
        UInt16 | Bits16 => (0.0, u16::MAX.into()),
        Char => (i8::MIN.into(), i8::MAX.into()),
        Short => (i16::MIN.into(), i16::MAX.into()),
        Int => (i32::MIN.into(), i32::MAX.into()),
        Long => (i64::MIN as f64, i64::MAX as f64),
        Half => symmetric(f16::MAX.to_f64()),
        BFloat16 => symmetric(bf16::MAX.to_f64()),
        Float => symmetric(f32::MAX.into()),
        Double => symmetric(f64::MAX),
        _ => symmetric(f64::INFINITY),
    }
}

/// `value` as a tensor of a 16-bit float type holds it.
pub(in crate::kernels) fn rounded<C: Element>(value: C, scalar_type: ScalarType) -> C {
    match scalar_type {
        Half => value.cast::<f16>().cast(),
        BFloat16 => value.cast::<bf16>().cast(),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: [ScalarType; 10] =
        [Bool, Byte, Char, Short, Int, Long, Half, BFloat16, Float, Double];

    #[test]
    fn promotion_is_symmetric_and_never_narrows() {
        for a in TYPES {
            for b in TYPES {
                let both = promote(a, b);
                assert_eq!(both, promote(b, a));
                assert_eq!(promote(both, a), both, "{a} with {b}");
                assert!(can_cast(a, both) && can_cast(b, both));
            }
        }
        assert_eq!(promote(Byte, Char), Short);
        assert_eq!(promote(Half, BFloat16), Float);
        assert_eq!(promote(Long, Half), Half);
    }

    #[test]
    fn numbers_promote_by_kind_only() {
        assert_eq!(promote_scalar(Char, Scalar::Int(1 << 40)), Char);
        assert_eq!(promote_scalar(Long, Scalar::Double(0.5)), Float);
        assert_eq!(promote_scalar(Half, Scalar::Double(1e300)), Half);
        assert_eq!(promote_scalar(Bool, Scalar::Int(2)), Long);
        assert_eq!(promote_scalar(Bool, Scalar::Bool(true)), Bool);
    }

    #[test]
    fn numbers_fit_by_range_and_kind() {
        assert!(fits(Scalar::Int(-255), Byte) && !fits(Scalar::Int(-256), Byte));
        assert!(!fits(Scalar::Double(-1.0), Byte) && fits(Scalar::Double(-0.0), Byte));
        assert!(fits(Scalar::Int(i64::MIN), Long) && !fits(Scalar::Double(f64::NAN), Long));
        assert!(fits(Scalar::Double(f64::NEG_INFINITY), Half));
        assert!(!fits(Scalar::Int(65_505), Half) && fits(Scalar::Int(65_504), Half));
        assert!(fits(Scalar::Double(1e300), Bool) && !fits(Scalar::Double(1e39), Float));
    }
}
