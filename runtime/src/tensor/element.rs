//! Rust types of tensor elements, and dispatch from a [`ScalarType`] to them.

use bytemuck::{Pod, Zeroable};
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

/// A type that a tensor can hold. Conversions are those of C++'s
/// `static_cast` between the types, except that a float outside the integer's
/// range saturates where C++ leaves it undefined.
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

macro_rules! number {
    ($($type:ty, $dtype:ident, $float:literal;)+) => {
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
                if $float { value as Self } else { value as i64 as Self }
            }

            #[inline(always)]
            fn from_i64(value: i64) -> Self {
                value as Self
            }
        })+
    };
}

number! {
    u8, Byte, false;
    i8, Char, false;
    i16, Short, false;
    i32, Int, false;
    i64, Long, false;
    u16, UInt16, false;
    u32, UInt32, false;
    u64, UInt64, false;
    f32, Float, true;
    f64, Double, true;
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
/// * `all`: every type that a tensor can hold, bool and 16-bit floats included
/// * `real`: `all` without bool and the unsigned 16 to 64-bit types
/// * `float`: float16, bfloat16, float32, float64
///
/// `else` runs for any other type.
macro_rules! with_dtype {
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
