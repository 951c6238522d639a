//! Operators by family, and the registry that finds one by its name.
//!
//! A family is a file with a table `KERNELS` of names and functions. A kernel
//! gets its arguments by position in the operator's signature
//! ([`et_schema::operators`]) and its outputs separately; it resizes the
//! outputs, checks what ExecuTorch's kernel checks, and writes every element.
//! Inputs never overlap outputs: the caller has seen to that.

mod args;
pub(crate) mod complex;
mod convolution;
mod cortex_m;
mod distance;
mod elementwise;
mod embedding;
mod exponential;
mod fourier;
#[cfg(feature = "std")]
pub(crate) mod fused;
mod in_order;
mod indexing;
mod kept;
mod linear;
mod matrix;
mod means;
mod movement;
mod norm;
pub(crate) mod order;
mod panel;
mod parallel;
mod pool;
mod quantized;
mod reduce;
mod resample;
mod scratch;
mod simd;
mod softmax;

pub(crate) use args::Resources;
pub use args::{Arg, Args, Outs};
pub(crate) use kept::Kept;
pub(crate) use means::Means;
pub use means::Rounding;

use crate::error::KernelResult;
use crate::prim::{self, PrimOp};

/// A kernel: reads `args`, writes `outs`.
pub type Kernel = fn(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult;

/// What runs an operator.
#[derive(Clone, Copy)]
pub(crate) enum Implementation {
    /// A kernel over tensors.
    Kernel(Kernel),
    /// An operator on the method's values.
    Prim(PrimOp),
}

/// Every family's kernels.
const FAMILIES: &[&[(&str, Kernel)]] = &[
    convolution::KERNELS,
    cortex_m::CONVOLUTION,
    cortex_m::ELEMENTWISE,
    cortex_m::LAYOUT,
    cortex_m::LINEAR,
    cortex_m::POOL,
    cortex_m::SOFTMAX,
    cortex_m::TRANSPOSED,
    distance::KERNELS,
    elementwise::activation::KERNELS,
    elementwise::arithmetic::KERNELS,
    elementwise::bitwise::KERNELS,
    elementwise::compare::KERNELS,
    elementwise::copy::KERNELS,
    elementwise::division::KERNELS,
    elementwise::fill::KERNELS,
    elementwise::gelu::KERNELS,
    elementwise::power::KERNELS,
    elementwise::random::KERNELS,
    elementwise::rounding::KERNELS,
    elementwise::select::KERNELS,
    elementwise::unary::KERNELS,
    embedding::KERNELS,
    fourier::KERNELS,
    indexing::ALONG,
    indexing::LISTS,
    indexing::MASKS,
    linear::KERNELS,
    movement::JOIN,
    movement::REARRANGE,
    movement::SEGMENTS,
    movement::SHAPE,
    movement::VIEW,
    norm::KERNELS,
    pool::KERNELS,
    quantized::ADD,
    quantized::AFFINE,
    quantized::EMBEDDING,
    quantized::MIXED,
    quantized::PARAMETERS,
    reduce::EXTREMUM,
    reduce::SCAN,
    reduce::SUM,
    resample::GRID,
    resample::UPSAMPLE,
    softmax::KERNELS,
];

/// The implementation of an operator, such as `aten::add.out`.
pub(crate) fn find(name: &str) -> Option<Implementation> {
    let kernel = FAMILIES.iter().copied().flatten().find(|(own, _)| *own == name);
    kernel
        .map(|(_, kernel)| Implementation::Kernel(*kernel))
        .or_else(|| prim::find(name).map(Implementation::Prim))
}

/// Names of all operators that this runtime has, in no particular order.
pub fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().copied().flatten().map(|(name, _)| *name).chain(prim::names())
}
