//! Rust types of tensor elements, and dispatch from a [`ScalarType`] to them.

use bytemuck::{Pod, Zeroable};
use core::convert::identity;
use et_schema::ScalarType;
use half::{bf16, f16};

/// An element of a bool tensor: 0 is false, everything else is true.
#[derive(Clone, Copy, Debug, Default, Zeroable, Pod)]
#[repr(transparent)]
pub struct Bool(pub u8);

impl Bool {
    /// Whether it is true.
    pub fn get(self) -> bool {
        self.0 != 0
    }
}

impl From<bool> for Bool {
    fn from(value: bool) -> Self {
        Bool(value.into())
    }
}

impl PartialEq for Bool {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl PartialOrd for Bool {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        self.get().partial_cmp(&other.get())
    }
}

/// A type that a tensor can hold. Conversions are those of C++'s `static_cast`
/// between the types. A float outside the integer's range, which C++ leaves
/// undefined, converts as x86-64 does it: to the lowest 64-bit integer, or the
/// lowest 32-bit integer on the way to a type of 32 bits or less.
pub trait Element: Pod + Default + PartialEq + PartialOrd + Send + Sync + 'static {
    /// Its number in the program.
    const DTYPE: ScalarType;

    /// Conversion to the widest float.
    fn to_f64(self) -> f64;
    /// Conversion to the widest integer; wraps from `u64`.
    fn to_i64(self) -> i64;
    /// Conversion from a float.
    fn from_f64(value: f64) -> Self;
    /// Conversion from an integer; wraps.
    fn from_i64(value: i64) -> Self;
    /// Whether it is a float: conversions go through `f64` instead of `i64`.
    const IS_FLOAT: bool;

    /// Whether it is a float that is no number.
    #[inline(always)]
    fn is_nan(self) -> bool {
        self.partial_cmp(&self).is_none()
    }

    /// Conversion to another element type.
    #[inline(always)]
    fn cast<T: Element>(self) -> T {
        if Self::IS_FLOAT { T::from_f64(self.to_f64()) } else { T::from_i64(self.to_i64()) }
    }
}

/// The integer part; the lowest integer if it is out of range or NaN.
#[inline(always)]
fn to_i32(value: f64) -> i32 {
    let fits = value > f64::from(i32::MIN) - 1.0 && value < f64::from(i32::MAX) + 1.0;
    if fits { value as i32 } else { i32::MIN }
}

/// The integer part; the lowest integer if it is out of range or NaN.
#[inline(always)]
fn to_i64(value: f64) -> i64 {
    if value < i64::MAX as f64 { value as i64 } else { i64::MIN }
}

macro_rules! number {
    ($($type:ty, $dtype:ident, $float:literal, $via:path;)+) => {
        $(impl Element for $type {
            const DTYPE: ScalarType = ScalarType::$dtype;
            const IS_FLOAT: bool = $float;

            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }

            #[inline(always)]
            fn to_i64(self) -> i64 {
                self as i64
            }

            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                $via(value) as Self
            }

            #[inline(always)]
            fn from_i64(value: i64) -> Self {
                value as Self
            }
        })+
    };
}

number! {
    u8, Byte, false, to_i32;
    i8, Char, false, to_i32;
    i16, Short, false, to_i32;
    i32, Int, false, to_i32;
    i64, Long, false, to_i64;
    u16, UInt16, false, to_i32;
    u32, UInt32, false, to_i64;
    u64, UInt64, false, to_i64;
    f32, Float, true, identity;
    f64, Double, true, identity;
}

macro_rules! half_float {
    ($type:ty, $dtype:ident) => {
        impl Element for $type {
            const DTYPE: ScalarType = ScalarType::$dtype;
            const IS_FLOAT: bool = true;

            #[inline(always)]
            fn to_f64(self) -> f64 {
                <$type>::to_f64(self)
            }

            #[inline(always)]
            fn to_i64(self) -> i64 {
                <$type>::to_f32(self) as i64
            }

            /// Rounds to float32 first, as C++ does on the way to a 16-bit float.
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                <$type>::from_f32(value as f32)
            }

            #[inline(always)]
            fn from_i64(value: i64) -> Self {
                <$type>::from_f32(value as f32)
            }
        }
    };
}

half_float!(f16, Half);
half_float!(bf16, BFloat16);

impl Element for Bool {
    const DTYPE: ScalarType = ScalarType::Bool;
    const IS_FLOAT: bool = false;

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(u8::from(self.get()))
    }

    #[inline(always)]
    fn to_i64(self) -> i64 {
        i64::from(self.get())
    }

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        (value != 0.0).into()
    }

    #[inline(always)]
    fn from_i64(value: i64) -> Self {
        (value != 0).into()
    }
}

/// Runs `$body` with the type `$T` of the elements of `$dtype`, within a set:
///
/// * `any`: every type that a tensor can hold
/// * `complex`: complex numbers
/// * `all`: `any` without `complex`, bool and 16-bit floats included
/// * `real`: `all` without bool and the unsigned 16 to 64-bit types
/// * `float`: float16, bfloat16, float32, float64
///
/// `else` runs for any other type.
macro_rules! with_dtype {
    ($dtype:expr, any, $T:ident => $body:expr, else $otherwise:expr) => {
        match $dtype {
            et_schema::ScalarType::ComplexHalf => { type $T = $crate::tensor::ComplexHalf; $body }
            et_schema::ScalarType::ComplexFloat => { type $T = $crate::tensor::ComplexFloat; $body }
            et_schema::ScalarType::ComplexDouble => { type $T = $crate::tensor::ComplexDouble; $body }
            other => $crate::tensor::with_dtype!(other, all, $T => $body, else $otherwise),
        }
    };
    ($dtype:expr, complex, $T:ident => $body:expr, else $otherwise:expr) => {
        match $dtype {
            et_schema::ScalarType::ComplexHalf => { type $T = $crate::tensor::ComplexHalf; $body }
            et_schema::ScalarType::ComplexFloat => { type $T = $crate::tensor::ComplexFloat; $body }
            et_schema::ScalarType::ComplexDouble => { type $T = $crate::tensor::ComplexDouble; $body }
            _ => $otherwise,
        }
    };
    ($dtype:expr, all, $T:ident => $body:expr, else $otherwise:expr) => {
        match $dtype {
            et_schema::ScalarType::UInt16 => { type $T = u16; $body }
            et_schema::ScalarType::UInt32 => { type $T = u32; $body }
            et_schema::ScalarType::UInt64 => { type $T = u64; $body }
            et_schema::ScalarType::Bool => { type $T = $crate::tensor::Bool; $body }
            other => $crate::tensor::with_dtype!(other, real, $T => $body, else $otherwise),
        }
    };
    ($dtype:expr, real, $T:ident => $body:expr, else $otherwise:expr) => {
        match $dtype {
            et_schema::ScalarType::Byte => { type $T = u8; $body }
            et_schema::ScalarType::Char => { type $T = i8; $body }
            et_schema::ScalarType::Short => { type $T = i16; $body }
            et_schema::ScalarType::Int => { type $T = i32; $body }
            et_schema::ScalarType::Long => { type $T = i64; $body }
            other => $crate::tensor::with_dtype!(other, float, $T => $body, else $otherwise),
        }
    };
    ($dtype:expr, float, $T:ident => $body:expr, else $otherwise:expr) => {
        match $dtype {
            et_schema::ScalarType::Half => { type $T = half::f16; $body }
            et_schema::ScalarType::BFloat16 => { type $T = half::bf16; $body }
            et_schema::ScalarType::Float => { type $T = f32; $body }
            et_schema::ScalarType::Double => { type $T = f64; $body }
            _ => $otherwise,
        }
    };
}
pub(crate) use with_dtype;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_out_of_range_convert_as_x86_64_converts_them() {
        for value in [f64::NAN, f64::INFINITY, 3e9, -3e9] {
            assert_eq!(i32::from_f64(value), i32::MIN);
            assert_eq!((u8::from_f64(value), i16::from_f64(value)), (0, 0));
        }
        assert_eq!(i64::from_f64(f64::INFINITY), i64::MIN);
        assert_eq!(u8::from_f64(300.7), 44);
        assert_eq!(u8::from_f64(-1.0), 255);
        assert_eq!(i32::from_f64(-2_147_483_648.9), i32::MIN);
        assert_eq!(i32::from_f64(2_147_483_647.9), i32::MAX);
        assert_eq!(u32::from_f64(4e9), 4_000_000_000);
    }
}
