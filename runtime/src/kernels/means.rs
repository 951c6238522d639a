//! What kernels compute with: threads, and the rounding of products that are added up.

/// How float32 kernels round a product that is added to a sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rounding {
    /// After the multiplication and after the addition, as ExecuTorch's portable
    /// kernels do: results are theirs to the last bit.
    #[default]
    Twice,
    /// After both, in one instruction (FMA), as XNNPACK does: faster, and the last
    /// digits differ. Products of matrices, convolutions and batch norms have it.
    /// Without the standard library, or on a processor without AVX2 or NEON, where
    /// it would take many instructions, it is the same as [`Rounding::Twice`].
    Once,
}

/// What a kernel computes with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Means {
    /// Threads, at least 1.
    pub threads: usize,
    pub rounding: Rounding,
}

impl Means {
    /// One thread, and ExecuTorch's rounding.
    pub const PLAIN: Self = Means { threads: 1, rounding: Rounding::Twice };
}
