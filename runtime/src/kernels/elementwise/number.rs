//! Arithmetic in the types that operators compute in: the integers, bool,
//! float32 and float64. Integers wrap; bools are added and multiplied as
//! integers, and what is not 0 is true.

use crate::error::{KernelError, KernelResult};
use crate::tensor::{Bool, Element};
use crate::value::Scalar;
use alloc::format;
use et_schema::ScalarType;

/// A type to compute in.
pub(in crate::kernels) trait Number: Element {
    /// `self + other`
    fn add(self, other: Self) -> Self;
    /// `self - other`
    fn sub(self, other: Self) -> Self;
    /// `self * other`
    fn mul(self, other: Self) -> Self;
    /// Whether it is NaN.
    fn unordered(self) -> bool;
    /// The lowest value, which limits nothing.
    const LOWEST: Self;
    /// The highest value, which limits nothing.
    const HIGHEST: Self;

    /// The number, converted as C++ converts it.
    fn from_scalar(number: Scalar) -> Self {
        match number {
            Scalar::Int(value) => Self::from_i64(value),
            Scalar::Double(value) => Self::from_f64(value),
            Scalar::Bool(value) => Self::from_i64(value.into()),
        }
    }

    /// The number, if it is of the type's kind and in its range: no double for
    /// an integer, no bool for a number.
    fn extract(number: Scalar) -> Option<Self>;

    /// Whether it is infinite.
    #[inline(always)]
    fn infinite(self) -> bool {
        Self::IS_FLOAT && (self == Self::LOWEST || self == Self::HIGHEST)
    }

    /// The larger; NaN if either is.
    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        if self.unordered() {
            self
        } else if other.unordered() || other > self {
            other
        } else {
            self
        }
    }

    /// The smaller; NaN if either is.
    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        if self.unordered() {
            self
        } else if other.unordered() || other < self {
            other
        } else {
            self
        }
    }
}

macro_rules! integer {
    ($($type:ty)+) => {
        $(impl Number for $type {
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }

            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }

            #[inline(always)]
            fn unordered(self) -> bool {
                false
            }

            const LOWEST: Self = Self::MIN;
            const HIGHEST: Self = Self::MAX;

            fn extract(number: Scalar) -> Option<Self> {
                match number {
                    Scalar::Int(value) => value.try_into().ok(),
                    _ => None,
                }
            }
        })+
    };
}

integer!(u8 i8 i16 i32 i64);

/// An integer type to compute in.
pub(in crate::kernels) trait Integer: Number + Eq {
    /// The quotient, cut towards 0; the divisor is not 0.
    fn quotient(self, divisor: Self) -> Self;
    /// What the quotient leaves, with the sign of `self`; the divisor is not 0.
    fn remainder(self, divisor: Self) -> Self;
}

/// Bits to combine: an integer, or a bool, which is an integer of one bit.
pub(in crate::kernels) trait Bits: Number {
    /// `self & other`
    fn and(self, other: Self) -> Self;
    /// `self | other`
    fn or(self, other: Self) -> Self;
    /// `self ^ other`
    fn xor(self, other: Self) -> Self;
    /// `!self`
    fn not(self) -> Self;
    /// `self << count`, computed in at least 32 bits; counts wrap around.
    fn shift_left(self, count: Self) -> Self;
    /// `self >> count`, computed in at least 32 bits; counts wrap around.
    fn shift_right(self, count: Self) -> Self;
}

macro_rules! bits {
    ($($type:ty, $wide:ty;)+) => {
        $(impl Integer for $type {
            #[inline(always)]
            fn quotient(self, divisor: Self) -> Self {
                self.wrapping_div(divisor)
            }

            #[inline(always)]
            fn remainder(self, divisor: Self) -> Self {
                self.wrapping_rem(divisor)
            }
        }

        impl Bits for $type {
            #[inline(always)]
            fn and(self, other: Self) -> Self {
                self & other
            }

            #[inline(always)]
            fn or(self, other: Self) -> Self {
                self | other
            }

            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                self ^ other
            }

            #[inline(always)]
            fn not(self) -> Self {
                !self
            }

            #[inline(always)]
            fn shift_left(self, count: Self) -> Self {
                <$wide>::from(self).wrapping_shl(count as u32) as Self
            }

            #[inline(always)]
            fn shift_right(self, count: Self) -> Self {
                <$wide>::from(self).wrapping_shr(count as u32) as Self
            }
        })+
    };
}

bits! {
    u8, i32;
    i8, i32;
    i16, i32;
    i32, i32;
    i64, i64;
}

impl Bits for Bool {
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        (self.get() & other.get()).into()
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        (self.get() | other.get()).into()
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        (self.get() ^ other.get()).into()
    }

    #[inline(always)]
    fn not(self) -> Self {
        (!self.get()).into()
    }

    #[inline(always)]
    fn shift_left(self, _: Self) -> Self {
        self
    }

    #[inline(always)]
    fn shift_right(self, count: Self) -> Self {
        (self.get() & !count.get()).into()
    }
}

macro_rules! float {
    ($($type:ident)+) => {
        $(impl Number for $type {
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self + other
            }

            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                self - other
            }

            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                self * other
            }

            #[inline(always)]
            fn unordered(self) -> bool {
                self.is_nan()
            }

            const LOWEST: Self = $type::NEG_INFINITY;
            const HIGHEST: Self = $type::INFINITY;

            fn extract(number: Scalar) -> Option<Self> {
                let value = number.to_f64();
                let finite = value.is_finite();
                let fits = !finite || value.abs() <= f64::from($type::MAX);
                (fits && !matches!(number, Scalar::Bool(_))).then_some(value as $type)
            }
        })+
    };
}

float!(f32 f64);

impl Number for Bool {
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        (self.get() | other.get()).into()
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        (self.get() != other.get()).into()
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        (self.get() & other.get()).into()
    }

    #[inline(always)]
    fn unordered(self) -> bool {
        false
    }

    const LOWEST: Self = Bool(0);
    const HIGHEST: Self = Bool(1);

    fn extract(number: Scalar) -> Option<Self> {
        match number {
            Scalar::Double(_) => None,
            number => Some(Self::from_scalar(number)),
        }
    }
}

/// The answer to a type that an operator does not compute in.
pub(in crate::kernels) fn refuse<T>(scalar_type: ScalarType) -> KernelResult<T> {
    Err(KernelError::argument(format!("not supported for {scalar_type}")))
}

/// Runs `$body` with the type `$C` to compute values of type `$dtype` in, which
/// [`super::promote::compute_type`] gives, within a set:
///
/// * without a name: all of them
/// * `float`: float32 and float64
/// * `integer`: the integers without bool
/// * `bits`: the integers and bool
macro_rules! with_compute {
    ($dtype:expr, $C:ident => $body:expr) => {
        match $dtype {
            et_schema::ScalarType::Half
            | et_schema::ScalarType::BFloat16
            | et_schema::ScalarType::Float => { type $C = f32; $body }
            et_schema::ScalarType::Double => { type $C = f64; $body }
            other => $crate::kernels::elementwise::number::with_compute!(other, bits, $C => $body),
        }
    };
    ($dtype:expr, float, $C:ident => $body:expr) => {
        match $dtype {
            et_schema::ScalarType::Half
            | et_schema::ScalarType::BFloat16
            | et_schema::ScalarType::Float => { type $C = f32; $body }
            et_schema::ScalarType::Double => { type $C = f64; $body }
            other => $crate::kernels::elementwise::number::refuse(other),
        }
    };
    ($dtype:expr, bits, $C:ident => $body:expr) => {
        match $dtype {
            et_schema::ScalarType::Bool => { type $C = $crate::tensor::Bool; $body }
            other => $crate::kernels::elementwise::number::with_compute!(other, integer, $C => $body),
        }
    };
    ($dtype:expr, integer, $C:ident => $body:expr) => {
        match $dtype {
            et_schema::ScalarType::Byte => { type $C = u8; $body }
            et_schema::ScalarType::Char => { type $C = i8; $body }
            et_schema::ScalarType::Short => { type $C = i16; $body }
            et_schema::ScalarType::Int => { type $C = i32; $body }
            et_schema::ScalarType::Long => { type $C = i64; $body }
            other => $crate::kernels::elementwise::number::refuse(other),
        }
    };
}
pub(in crate::kernels) use with_compute;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_extracted_by_kind_and_range() {
        assert_eq!(i8::extract(Scalar::Int(-128)), Some(-128));
        assert_eq!(i8::extract(Scalar::Int(128)), None);
        assert_eq!(i8::extract(Scalar::Double(1.0)), None);
        assert_eq!(f32::extract(Scalar::Double(1e39)), None);
        assert_eq!(f32::extract(Scalar::Double(f64::INFINITY)), Some(f32::INFINITY));
        assert_eq!(f32::extract(Scalar::Bool(true)), None);
        assert_eq!(Bool::extract(Scalar::Int(2)), Some(true.into()));
        assert_eq!(Bool::extract(Scalar::Double(2.0)), None);
        assert_eq!(Bool::extract(Scalar::Bool(false)), Some(false.into()));
    }

    #[test]
    fn nan_wins_over_either_limit() {
        for (a, b) in [(f32::NAN, 1.0), (1.0, f32::NAN)] {
            assert!(Number::larger(a, b).is_nan() && Number::smaller(a, b).is_nan());
        }
        assert_eq!(Number::larger(2u8, 3), 3);
        assert_eq!(Number::smaller(-2i64, 3), -2);
    }
}
