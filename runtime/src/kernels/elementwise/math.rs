//! Functions of real numbers, in float32 and float64.

use super::number::Number;

/// Below this, inverse hyperbolic functions are the identity to the last bit.
const SMALL: f64 = 1.0 / (1u64 << 28) as f64;
/// Above this, `x² ± 1` is `x²` to the last bit.
const LARGE: f64 = (1u64 << 28) as f64;

/// Declares the functions that the platform's mathematics library has, and
/// those that are made of them.
macro_rules! real {
    ($($function:ident = $source:ident, $doc:literal;)+) => {
        /// A floating point type to compute in.
        pub(in crate::kernels) trait Real: Number {
            $(#[doc = $doc] fn $function(self) -> Self;)+
            /// The nearest integer, the even one of two.
            fn round_even(self) -> Self;
            /// The largest integer that is not larger.
            fn floor(self) -> Self;
            /// The smallest integer that is not smaller.
            fn ceil(self) -> Self;
            /// The integer without the fraction.
            fn trunc(self) -> Self;
            /// Inverse hyperbolic sine.
            fn asinh(self) -> Self;
            /// Inverse hyperbolic cosine.
            fn acosh(self) -> Self;
            /// Inverse hyperbolic tangent.
            fn atanh(self) -> Self;
            /// Error function.
            fn erf(self) -> Self;
            /// `self` to the power of `exponent`.
            fn pow(self, exponent: Self) -> Self;
            /// Angle of the point with ordinate `self` and abscissa `x`.
            fn atan2(self, x: Self) -> Self;
            /// `1 / x`
            fn reciprocal(self) -> Self;
            /// `1 / √x`
            fn rsqrt(self) -> Self;
            /// `1 / (1 + e^-x)`
            fn sigmoid(self) -> Self;
        }

        real!(@impl f32, erff, $($function = $source,)+);
        real!(@impl f64, erf, $($function = $source,)+);
    };
    (@impl $type:ident, $erf:ident, $($function:ident = $source:ident,)+) => {
        impl Real for $type {
            $(#[inline(always)]
            fn $function(self) -> Self {
                num_traits::Float::$source(self)
            })+

            #[inline(always)]
            fn round_even(self) -> Self {
                // Numbers of this size have no fraction, so the sum is rounded.
                let whole = (1u64 << ($type::MANTISSA_DIGITS - 1)) as Self;
                let x = self.abs();
                if x < whole { ((x + whole) - whole).copysign(self) } else { self }
            }

            #[inline(always)]
            fn floor(self) -> Self {
                let near = Real::round_even(self);
                if near > self { near - 1.0 } else { near }
            }

            #[inline(always)]
            fn ceil(self) -> Self {
                -Real::floor(-self)
            }

            #[inline(always)]
            fn trunc(self) -> Self {
                Real::floor(self.abs()).copysign(self)
            }

            fn asinh(self) -> Self {
                let x = self.abs();
                let result = if x < SMALL as Self || !self.is_finite() {
                    x
                } else if x > LARGE as Self {
                    Real::ln(x) + core::$type::consts::LN_2
                } else if x > 2.0 {
                    Real::ln(2.0 * x + 1.0 / (Real::sqrt(x * x + 1.0) + x))
                } else {
                    let square = x * x;
                    Real::ln_1p(x + square / (1.0 + Real::sqrt(1.0 + square)))
                };
                result.copysign(self)
            }

            fn acosh(self) -> Self {
                let x = self;
                if x > LARGE as Self {
                    Real::ln(x) + core::$type::consts::LN_2
                } else if x > 2.0 {
                    Real::ln(2.0 * x - 1.0 / (x + Real::sqrt(x * x - 1.0)))
                } else if x >= 1.0 {
                    let above = x - 1.0;
                    Real::ln_1p(above + Real::sqrt(2.0 * above + above * above))
                } else {
                    Self::NAN
                }
            }

            fn atanh(self) -> Self {
                let x = self.abs();
                let result = if x < SMALL as Self {
                    x
                } else if x < 0.5 {
                    let double = x + x;
                    0.5 * Real::ln_1p(double + double * x / (1.0 - x))
                } else if x <= 1.0 {
                    0.5 * Real::ln_1p((x + x) / (1.0 - x))
                } else {
                    Self::NAN
                };
                result.copysign(self)
            }

            #[inline(always)]
            fn erf(self) -> Self {
                libm::$erf(self)
            }

            #[inline(always)]
            fn pow(self, exponent: Self) -> Self {
                num_traits::Float::powf(self, exponent)
            }

            #[inline(always)]
            fn atan2(self, x: Self) -> Self {
                num_traits::Float::atan2(self, x)
            }

            #[inline(always)]
            fn reciprocal(self) -> Self {
                1.0 / self
            }

            #[inline(always)]
            fn rsqrt(self) -> Self {
                1.0 / Real::sqrt(self)
            }

            #[inline(always)]
            fn sigmoid(self) -> Self {
                1.0 / (1.0 + Real::exp(-self))
            }
        }
    };
}

real! {
    exp = exp, "`e^x`";
    exp_m1 = exp_m1, "`e^x - 1`, exact near 0.";
    ln = ln, "Natural logarithm.";
    ln_1p = ln_1p, "`ln(1 + x)`, exact near 0.";
    log2 = log2, "Logarithm to base 2.";
    log10 = log10, "Logarithm to base 10.";
    sqrt = sqrt, "Square root.";
    sin = sin, "Sine.";
    cos = cos, "Cosine.";
    tan = tan, "Tangent.";
    asin = asin, "Inverse sine.";
    acos = acos, "Inverse cosine.";
    atan = atan, "Inverse tangent.";
    sinh = sinh, "Hyperbolic sine.";
    cosh = cosh, "Hyperbolic cosine.";
    tanh = tanh, "Hyperbolic tangent.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_that_of_the_standard_library() {
        for x in
            [0.0, 0.3, 0.5, 0.500_000_1, 1.5, 2.5, 8_388_607.5, 8_388_609.0, 1e30, f32::INFINITY]
        {
            for x in [x, -x] {
                let (ours, theirs) = (
                    [Real::round_even(x), Real::floor(x), Real::ceil(x), Real::trunc(x)],
                    [libm::rintf(x), libm::floorf(x), libm::ceilf(x), libm::truncf(x)],
                );
                assert_eq!(ours.map(f32::to_bits), theirs.map(f32::to_bits), "{x}");
            }
        }
        assert!(Real::floor(f64::NAN).is_nan() && Real::round_even(f32::NAN).is_nan());
    }

    #[test]
    fn inverse_hyperbolic_functions_invert() {
        for x in [0.0, 1e-10, 1e-3, 0.3, 0.7, 1.5, 3.0, 20.0, 1e9, 1e300] {
            for x in [x, -x] {
                let close = |a: f64, b: f64| a == b || (a - b).abs() <= 1e-15 * (1.0 + b.abs());
                assert!(close(Real::asinh(x), libm::asinh(x)), "asinh {x}");
                if x >= 1.0 {
                    assert!(close(Real::acosh(x), libm::acosh(x)), "acosh {x}");
                }
                if x.abs() < 1.0 {
                    assert!(close(Real::atanh(x), libm::atanh(x)), "atanh {x}");
                }
            }
        }
        assert!(Real::acosh(0.5f32).is_nan() && Real::atanh(-1.5f32).is_nan());
        assert_eq!(Real::atanh(-1.0f32), f32::NEG_INFINITY);
        assert_eq!(Real::asinh(f32::NEG_INFINITY), f32::NEG_INFINITY);
        assert!(Real::asinh(f64::NAN).is_nan());
    }
}
