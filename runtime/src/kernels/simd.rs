//! Loops compiled for the processor that they run on.

use super::means::Rounding;

/// Runs `body` compiled for the widest vector instructions of this processor.
/// The body must be inlined for it to help: plain loops over slices.
#[inline(always)]
pub(super) fn vectorized<R>(body: impl FnOnce() -> R) -> R {
    vectorized_steps(
        Rounding::Twice,
        #[inline(always)]
        |_| body(),
    )
}

/// The same for loops that add products to sums, with the step that does it.
#[cfg(feature = "std")]
#[inline(always)]
pub(super) fn vectorized_steps<R>(rounding: Rounding, body: impl FnOnce(Step) -> R) -> R {
    struct Body<F>(F, Rounding);
    impl<R, F: FnOnce(Step) -> R> pulp::WithSimd for Body<F> {
        type Output = R;
        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _simd: S) -> R {
            with_step::<S, R>(self.1, self.0)
        }
    }
    pulp::Arch::new().dispatch(Body(body, rounding))
}

/// Without the standard library, the instructions of the build are the only ones.
#[cfg(not(feature = "std"))]
#[inline(always)]
pub(super) fn vectorized_steps<R>(_rounding: Rounding, body: impl FnOnce(Step) -> R) -> R {
    body(Step(Rounding::Twice))
}

/// Runs `body`, which is compiled once for each step.
#[cfg(feature = "std")]
#[inline(always)]
pub(super) fn with_step<S: pulp::Simd, R>(rounding: Rounding, body: impl FnOnce(Step) -> R) -> R {
    match rounding {
        Rounding::Once if has_fused_step::<S>() => body(Step(Rounding::Once)),
        _ => body(Step(Rounding::Twice)),
    }
}

/// Whether code for these vectors multiplies and adds in one instruction. Without
/// one, each element would take a call of a function.
#[cfg(feature = "std")]
const fn has_fused_step<S: pulp::Simd>() -> bool {
    let known = cfg!(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64"));
    known && S::F32_LANES > 1
}

/// Adds a product to a sum. Only to be had where a loop is compiled for it, so that
/// no loop asks which it is.
#[derive(Clone, Copy)]
pub(super) struct Step(Rounding);

impl Step {
    /// `sum + a * b`.
    #[inline(always)]
    pub fn add(self, sum: f32, a: f32, b: f32) -> f32 {
        match self.0 {
            #[cfg(feature = "std")]
            Rounding::Once => a.mul_add(b, sum),
            _ => sum + a * b,
        }
    }

    /// The same for vectors.
    #[cfg(feature = "std")]
    #[inline(always)]
    pub fn add_vectors<S: pulp::Simd>(
        self,
        simd: S,
        sum: S::f32s,
        a: S::f32s,
        b: S::f32s,
    ) -> S::f32s {
        match self.0 {
            Rounding::Once => simd.mul_add_f32s(a, b, sum),
            Rounding::Twice => simd.add_f32s(sum, simd.mul_f32s(a, b)),
        }
    }

    /// Whether the product is not rounded.
    #[inline(always)]
    pub fn is_fused(self) -> bool {
        self.0 == Rounding::Once
    }
}

/// Whether [`Rounding::Once`] does anything on this processor.
#[cfg(test)]
pub(super) fn fuses() -> bool {
    vectorized_steps(Rounding::Once, Step::is_fused)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The square of `1 + 2⁻¹²` is `1 + 2⁻¹¹ + 2⁻²⁴`, of which float32 drops the last.
    #[test]
    fn a_product_is_rounded_on_its_own_or_not_at_all() {
        let x = 1.0 + 2f32.powi(-12);
        let sum = -(1.0 + 2f32.powi(-11));
        let add = |rounding| vectorized_steps(rounding, |step| step.add(sum, x, x));
        assert_eq!(add(Rounding::Twice), 0.0);
        assert_eq!(add(Rounding::Once), if fuses() { 2f32.powi(-24) } else { 0.0 });
    }

    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    #[test]
    fn a_processor_with_vectors_fuses() {
        let vectors = std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma");
        assert_eq!(fuses(), vectors);
    }

    #[cfg(all(feature = "std", target_arch = "aarch64"))]
    #[test]
    fn a_processor_with_vectors_fuses() {
        assert!(fuses());
    }
}
