//! Elements by index: along a dimension, by lists of indices, by masks.
//!
//! ```text
//! along.rs    gather, scatter, scatter_add, index_select: one dimension
//! lists.rs    index, index_put: tensors of indices in place of dimensions
//! masks.rs    masked_select, masked_scatter, nonzero
//! ```

mod along;
mod lists;
mod masks;

pub(super) use along::KERNELS as ALONG;
pub(super) use lists::KERNELS as LISTS;
pub(super) use masks::KERNELS as MASKS;

use crate::error::{KernelError, KernelResult};
use alloc::format;
use smallvec::SmallVec;

type Index = SmallVec<[usize; 8]>;

/// Calls `visit` with every index of a shape, in index order.
fn for_each_index(sizes: &[i32], mut visit: impl FnMut(&[usize]) -> KernelResult) -> KernelResult {
    if sizes.contains(&0) {
        return Ok(());
    }
    let mut index: Index = smallvec::smallvec![0; sizes.len()];
    loop {
        visit(&index)?;
        let mut dim = sizes.len();
        loop {
            if dim == 0 {
                return Ok(());
            }
            dim -= 1;
            index[dim] += 1;
            if index[dim] < sizes[dim] as usize {
                break;
            }
            index[dim] = 0;
        }
    }
}

/// Offset of an index, in elements.
fn offset(index: &[usize], strides: &[i32]) -> usize {
    index.iter().zip(strides).map(|(i, s)| i * *s as usize).sum()
}

/// An index counted from either end.
fn wrapped(index: i64, size: usize) -> KernelResult<usize> {
    let from_front = if index < 0 { index + size as i64 } else { index };
    usize::try_from(from_front)
        .ok()
        .filter(|i| *i < size)
        .ok_or_else(|| KernelError::argument(format!("index {index} of {size}")))
}
