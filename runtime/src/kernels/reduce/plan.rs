//! The elements of each output of a reduction.

use super::normalised_dim;
use crate::error::{KernelResult, ensure};
use crate::tensor::{TensorMeta, TensorMut, TensorRef};
use smallvec::SmallVec;

type Walk = SmallVec<[(usize, usize); 8]>;

/// Sizes and strides of the dimensions that stay and of those that are reduced.
pub(in crate::kernels) struct Plan {
    kept: Walk,
    reduced: Walk,
    /// How many dimensions were named.
    pub dims: usize,
    /// Elements per output.
    pub count: usize,
    /// Shape of the output.
    pub sizes: SmallVec<[i32; 8]>,
}

impl Plan {
    /// Reduces `dims` of `input`, or all dimensions if none are named.
    pub fn new(input: &TensorRef<'_>, dims: &[i64], keepdim: bool) -> KernelResult<Self> {
        let mut is_reduced = [dims.is_empty(); crate::tensor::MAX_RANK];
        for dim in dims {
            let dim = normalised_dim(*dim, input)?;
            ensure!(!is_reduced[dim], "dimension {dim} appears twice in {dims:?}");
            is_reduced[dim] = true;
        }
        let mut plan = Plan {
            kept: Walk::new(),
            reduced: Walk::new(),
            dims: dims.len(),
            count: 1,
            sizes: SmallVec::new(),
        };
        let meta: &TensorMeta = input;
        for (dim, (size, stride)) in meta.sizes().iter().zip(meta.strides()).enumerate() {
            let step = (*size as usize, *stride as usize);
            if is_reduced[dim] {
                plan.reduced.push(step);
                plan.count *= step.0;
                if keepdim {
                    plan.sizes.push(1);
                }
            } else {
                plan.kept.push(step);
                plan.sizes.push(*size);
            }
        }
        // The walk over memory is fastest with the smallest stride innermost.
        plan.reduced.sort_by_key(|(_, stride)| core::cmp::Reverse(*stride));
        merge(&mut plan.reduced);
        Ok(plan)
    }

    /// Reduces nothing: as many outputs as elements.
    pub fn of_each(input: &TensorRef<'_>) -> Self {
        let steps = input.sizes().iter().zip(input.strides());
        Plan {
            kept: steps.map(|(size, stride)| (*size as usize, *stride as usize)).collect(),
            reduced: Walk::new(),
            dims: 0,
            count: 1,
            sizes: input.sizes().into(),
        }
    }

    /// The elements of each output, if they are a run of memory that follows
    /// that of the output before.
    pub fn rows(&self) -> Option<usize> {
        let [(len @ 1.., 1)] = self.reduced[..] else { return None };
        let mut stride = len;
        for (size, own) in self.kept.iter().rev().filter(|(size, _)| *size != 1) {
            if *own != stride {
                return None;
            }
            stride *= size;
        }
        Some(len)
    }

    /// Gives the output its shape.
    pub fn resize(&self, out: &mut TensorMut<'_>) -> KernelResult {
        out.resize(&self.sizes)
    }

    /// Offsets of the first element of each output, in index order.
    pub fn outputs(&self) -> impl Iterator<Item = usize> {
        offsets(&self.kept)
    }

    /// Calls `visit` with the elements of the output that starts at `first`.
    pub fn for_each<T: Copy>(&self, data: &[T], first: usize, mut visit: impl FnMut(T)) {
        if self.count == 0 {
            return;
        }
        let Some(((inner, stride), outer)) = self.reduced.split_last() else {
            return visit(data[first]);
        };
        let outer: Walk = outer.into();
        for offset in offsets(&outer) {
            let start = first + offset;
            if *stride == 1 {
                data[start..start + inner].iter().copied().for_each(&mut visit);
            } else {
                data[start..].iter().step_by(*stride).take(*inner).copied().for_each(&mut visit);
            }
        }
    }
}

/// Joins neighbours that are one run of memory.
fn merge(walk: &mut Walk) {
    let mut merged = Walk::new();
    for (size, stride) in walk.iter().copied().filter(|(size, _)| *size != 1) {
        match merged.last_mut() {
            Some((outer, outer_stride)) if *outer_stride == size * stride => {
                (*outer, *outer_stride) = (*outer * size, stride);
            }
            _ => merged.push((size, stride)),
        }
    }
    *walk = merged;
}

/// Offsets of all indices of a strided shape, in index order.
fn offsets(walk: &Walk) -> impl Iterator<Item = usize> + use<> {
    let walk = walk.clone();
    let count: usize = walk.iter().map(|(size, _)| size).product();
    let mut index: SmallVec<[usize; 8]> = smallvec::smallvec![0; walk.len()];
    let mut offset = 0;
    (0..count).map(move |_| {
        let current = offset;
        for (i, (size, stride)) in index.iter_mut().zip(&walk).rev() {
            *i += 1;
            offset += stride;
            if *i < *size {
                break;
            }
            offset -= stride * size;
            *i = 0;
        }
        current
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use et_schema::ScalarType;
    use et_schema::pte::Dynamism;

    fn sums(sizes: &[i32], dim_order: &[u8], dims: &[i64]) -> Vec<u32> {
        let meta = TensorMeta::new(ScalarType::Float, sizes, dim_order, Dynamism::Static).unwrap();
        let data: Vec<u32> = (0..meta.numel() as u32).collect();
        let plan = Plan::new(&TensorRef { meta: &meta, data: &[] }, dims, false).unwrap();
        plan.outputs()
            .map(|first| {
                let mut sum = 0;
                plan.for_each(&data, first, |x| sum += x);
                sum
            })
            .collect()
    }

    #[test]
    fn any_set_of_dimensions_is_reduced() {
        assert_eq!(sums(&[2, 3], &[], &[1]), [3, 12]);
        assert_eq!(sums(&[2, 3], &[], &[0]), [3, 5, 7]);
        assert_eq!(sums(&[2, 3], &[], &[]), [15]);
        assert_eq!(sums(&[2, 2, 2], &[], &[0, -1]), [10, 18]);
        assert_eq!(sums(&[], &[], &[]), [0]);
    }

    #[test]
    fn channels_last_memory_is_walked_by_its_strides() {
        assert_eq!(sums(&[1, 2, 2, 2], &[0, 2, 3, 1], &[2, 3]), [12, 16]);
    }

    #[test]
    fn empty_dimension_leaves_outputs_without_elements() {
        assert_eq!(sums(&[2, 0], &[], &[1]), [0, 0]);
        assert!(sums(&[0, 2], &[], &[1]).is_empty());
    }
}
