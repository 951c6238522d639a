//! Reductions over some or all dimensions.
//!
//! ```text
//! plan.rs      which elements belong to which output
//! sum.rs       sum, mean, prod, var
//! extremum.rs  amax, amin, max, min, argmax, argmin, any
//! scan.rs      cumsum, topk
//! ```

mod extremum;
mod plan;
mod scan;
mod sum;

use crate::error::{KernelResult, ensure};
use crate::tensor::TensorMeta;

pub(super) use extremum::KERNELS as EXTREMUM;
pub(super) use plan::Plan;
pub(super) use scan::KERNELS as SCAN;
pub(super) use sum::KERNELS as SUM;

/// A dimension counted from the front; a tensor without dimensions has one.
pub(super) fn normalised_dim(dim: i64, tensor: &TensorMeta) -> KernelResult<usize> {
    let rank = tensor.rank().max(1) as i64;
    ensure!((-rank..rank).contains(&dim), "dimension {dim} of {:?}", tensor.sizes());
    Ok(dim.rem_euclid(rank) as usize)
}
