//! Functions of real numbers, in float32 and float64.

use super::number::Number;

/// Declares the functions that the platform's mathematics library has, and
/// those that are made of them.
macro_rules! real {
    ($($function:ident = $source:ident, $doc:literal;)+) => {
        /// A floating point type to compute in.
        pub(in crate::kernels) trait Real: Number {
            $(#[doc = $doc] fn $function(self) -> Self;)+
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
            /// `x · Φ(x)`, Φ being the normal distribution.
            fn gelu(self) -> Self;
            /// [`Self::gelu`], approximated with [`Self::tanh`].
            fn gelu_tanh(self) -> Self;
        }

        real!(@impl f32, asinhf, acoshf, atanhf, erff, $($function = $source,)+);
        real!(@impl f64, asinh, acosh, atanh, erf, $($function = $source,)+);
    };
    (@impl $type:ident, $asinh:ident, $acosh:ident, $atanh:ident, $erf:ident,
     $($function:ident = $source:ident,)+) => {
        impl Real for $type {
            $(#[inline(always)]
            fn $function(self) -> Self {
                num_traits::Float::$source(self)
            })+

            #[inline(always)]
            fn asinh(self) -> Self {
                libm::$asinh(self)
            }

            #[inline(always)]
            fn acosh(self) -> Self {
                libm::$acosh(self)
            }

            #[inline(always)]
            fn atanh(self) -> Self {
                libm::$atanh(self)
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

            #[inline(always)]
            fn gelu(self) -> Self {
                self * 0.5 * (1.0 + Real::erf(self * core::$type::consts::FRAC_1_SQRT_2))
            }

            #[inline(always)]
            fn gelu_tanh(self) -> Self {
                let beta = core::$type::consts::FRAC_2_SQRT_PI * core::$type::consts::FRAC_1_SQRT_2;
                let inner = beta * (self + 0.044_715 * (self * self * self));
                0.5 * self * (1.0 + Real::tanh(inner))
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
