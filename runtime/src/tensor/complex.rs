//! Complex elements.
//!
//! As numbers of one part they are their real part, which is what
//! `_to_dim_order_copy` keeps of them; nothing else converts them.

use super::element::Element;
use bytemuck::{Pod, Zeroable};
use core::cmp::Ordering;
use et_schema::ScalarType;
use half::f16;
use num_traits::Float;

/// A complex number of two equal parts.
pub trait Complex: Element {
    /// The type of the parts.
    type Part: Element;
    /// The type that is computed in: float32 for 16-bit parts.
    type Wide: Float + Element;

    /// The real and the imaginary part.
    fn parts(self) -> [Self::Wide; 2];
    /// The number with these parts, rounded.
    fn of(parts: [Self::Wide; 2]) -> Self;
}

macro_rules! complex {
    ($($(#[$doc:meta])* $name:ident, $part:ty, $wide:ty, $dtype:ident;)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Zeroable, Pod)]
            #[repr(C)]
            pub struct $name {
                re: $part,
                im: $part,
            }

            /// Complex numbers have no order.
            impl PartialOrd for $name {
                fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                    (self == other).then_some(Ordering::Equal)
                }
            }

            impl Complex for $name {
                type Part = $part;
                type Wide = $wide;

                #[inline(always)]
                fn parts(self) -> [$wide; 2] {
                    [self.re, self.im].map(<$wide>::from)
                }

                #[inline(always)]
                fn of([re, im]: [$wide; 2]) -> Self {
                    $name { re: re.cast(), im: im.cast() }
                }
            }

            impl Element for $name {
                const DTYPE: ScalarType = ScalarType::$dtype;
                const IS_FLOAT: bool = true;

                #[inline(always)]
                fn cast<T: Element>(self) -> T {
                    if T::DTYPE == Self::DTYPE {
                        // The same type by its name, which the compiler does not see.
                        return bytemuck::try_cast(self).unwrap_or_default();
                    }
                    T::from_f64(self.to_f64())
                }

                #[inline(always)]
                fn to_f64(self) -> f64 {
                    self.re.to_f64()
                }

                #[inline(always)]
                fn to_i64(self) -> i64 {
                    self.re.to_i64()
                }

                #[inline(always)]
                fn from_f64(value: f64) -> Self {
                    $name { re: <$part>::from_f64(value), ..Self::default() }
                }

                #[inline(always)]
                fn from_i64(value: i64) -> Self {
                    $name { re: <$part>::from_i64(value), ..Self::default() }
                }
            }
        )+
    };
}

complex! {
    /// Two float16.
    ComplexHalf, f16, f32, ComplexHalf;
    /// Two float32.
    ComplexFloat, f32, f32, ComplexFloat;
    /// Two float64.
    ComplexDouble, f64, f64, ComplexDouble;
}
