//! Functions of real numbers, in float32 and float64.

use super::number::Number;

/// A floating point type to compute in.
pub(in crate::kernels) trait Real: Number {
    /// `e^x`
    fn exp(self) -> Self;
    /// `e^x - 1`, exact near 0.
    fn exp_m1(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Error function.
    fn erf(self) -> Self;
    /// `1 / (1 + e^-x)`
    fn sigmoid(self) -> Self;
    /// `x · Φ(x)`, Φ being the normal distribution.
    fn gelu(self) -> Self;
    /// [`Self::gelu`], approximated with [`Self::tanh`].
    fn gelu_tanh(self) -> Self;
}

macro_rules! real {
    ($($type:ident, $erf:path;)+) => {
        $(impl Real for $type {
            #[inline(always)]
            fn exp(self) -> Self {
                num_traits::Float::exp(self)
            }

            #[inline(always)]
            fn exp_m1(self) -> Self {
                num_traits::Float::exp_m1(self)
            }

            #[inline(always)]
            fn tanh(self) -> Self {
                num_traits::Float::tanh(self)
            }

            #[inline(always)]
            fn erf(self) -> Self {
                $erf(self)
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
        })+
    };
}

real! {
    f32, libm::erff;
    f64, libm::erf;
}
