//! Loops compiled for the processor that they run on.

/// Runs `body` compiled for the widest vector instructions of this processor.
/// The body must be inlined for it to help: plain loops over slices.
#[cfg(feature = "std")]
#[inline(always)]
pub(super) fn vectorized<R>(body: impl FnOnce() -> R) -> R {
    struct Body<F>(F);
    impl<R, F: FnOnce() -> R> pulp::WithSimd for Body<F> {
        type Output = R;
        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _simd: S) -> R {
            (self.0)()
        }
    }
    pulp::Arch::new().dispatch(Body(body))
}

/// Without the standard library, the instructions of the build are the only ones.
#[cfg(not(feature = "std"))]
#[inline(always)]
pub(super) fn vectorized<R>(body: impl FnOnce() -> R) -> R {
    body()
}
