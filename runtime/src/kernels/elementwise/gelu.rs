//! `gelu`, exact and approximated by a hyperbolic tangent.
//!
//! ExecuTorch's kernel is vectorized, and so is this one: in float32 it makes
//! do with polynomials, which a compiler can compute for several elements at
//! once. Coefficients are least-squares fits of this project.

use super::checks::{resize, same_dtype};
use super::map::run;
use super::math::Real;
use super::number::{Number, with_compute};
use super::stream::Pairing;
use crate::error::{KernelError, KernelResult};
use crate::kernels::exponential::exp;
use crate::kernels::simd::vectorized;
use crate::kernels::{Args, Kernel, Outs};
use alloc::format;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[("aten::gelu.out", gelu)];

fn gelu(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, kind, out) = (args.tensor(0)?, args.string(1)?, &mut outs[0]);
    same_dtype(&input, out)?;
    resize(out, input.sizes())?;
    with_compute!(input.scalar_type(), float, C => {
        let function = match kind {
            "none" => exact::<C>,
            "tanh" => approximate::<C>,
            other => {
                return Err(KernelError::argument(format!(
                    "approximation {other:?} is unknown, expected \"none\" or \"tanh\""
                )));
            }
        };
        run([&input], out, Pairing::Memory, &|[x], out| function(x, out))
    })
}

/// `x · Φ(x)`, Φ being the normal distribution.
fn exact<C: Gelu>(x: &[C], out: &mut [C]) {
    vectorized(
        #[inline(always)]
        || out.iter_mut().zip(x).for_each(|(out, x)| *out = x.gelu()),
    );
}

/// `x / 2 · (1 + tanh u)` with `u = √(2/π) (x + 0.044715 x³)`, which is
/// `x / (1 + e^-2u)`.
fn approximate<C: Gelu>(x: &[C], out: &mut [C]) {
    vectorized(
        #[inline(always)]
        || out.iter_mut().zip(x).for_each(|(out, x)| *out = x.gelu_tanh()),
    );
}

trait Gelu: Number {
    fn gelu(self) -> Self;
    fn gelu_tanh(self) -> Self;
}

impl Gelu for f64 {
    #[inline(always)]
    fn gelu(self) -> Self {
        0.5 * self * (1.0 + Real::erf(self * core::f64::consts::FRAC_1_SQRT_2))
    }

    #[inline(always)]
    fn gelu_tanh(self) -> Self {
        let root = core::f64::consts::FRAC_2_SQRT_PI * core::f64::consts::FRAC_1_SQRT_2;
        self / (1.0 + Real::exp(-2.0 * root * (self + 0.044_715 * self * self * self)))
    }
}

impl Gelu for f32 {
    #[inline(always)]
    fn gelu(self) -> Self {
        let tail = upper_tail(self.abs());
        self * if self < 0.0 { tail } else { 1.0 - tail }
    }

    #[inline(always)]
    fn gelu_tanh(self) -> Self {
        let root = core::f32::consts::FRAC_2_SQRT_PI * core::f32::consts::FRAC_1_SQRT_2;
        self / (1.0 + exp(-2.0 * root * (self + 0.044_715 * self * self * self)))
    }
}

/// `1 - Φ(x)` of `x` ≥ 0, relative error below 3e-6: a polynomial in
/// `u = 1 / (1 + 0.4 x/√2)` times `e^(-x²/2)`.
#[inline(always)]
fn upper_tail(x: f32) -> f32 {
    const POLYNOMIAL: [f32; 10] = [
        0.225_712_62,
        0.224_839_92,
        0.215_861_38,
        0.125_227,
        0.285_116_47,
        -0.309_007_07,
        0.577_459_8,
        -0.521_622_1,
        0.207_837_47,
        -0.031_425_425,
    ];
    let u = 1.0 / (1.0 + 0.4 * core::f32::consts::FRAC_1_SQRT_2 * x);
    let scaled = POLYNOMIAL.iter().rev().fold(0.0, |sum, c| sum * u + c);
    0.5 * u * scaled * exp(-0.5 * x * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_precision_agrees_with_double_precision() {
        for i in -1_000..1_000 {
            let x = i as f32 / 100.0;
            let close = |found: f32, expected: f64| {
                let error = (f64::from(found) - expected).abs();
                assert!(error <= 4e-7 * expected.abs() + 1e-7, "{x}: {found}, expected {expected}");
            };
            close(x.gelu(), Gelu::gelu(f64::from(x)));
            close(x.gelu_tanh(), Gelu::gelu_tanh(f64::from(x)));
        }
    }

    #[test]
    fn limits_are_those_of_the_definition() {
        assert_eq!(f32::INFINITY.gelu(), f32::INFINITY);
        assert!(f32::NEG_INFINITY.gelu().is_nan() && f32::NAN.gelu().is_nan());
        assert_eq!((-1e30f32).gelu(), 0.0);
        assert_eq!((-1e30f32).gelu_tanh(), 0.0);
    }
}
