//! What element-wise kernels check before they compute, and how they shape
//! their output: `tensors_have_same_dim_order`, `resize_tensor` and
//! `resize_to_broadcast_target_size` of ExecuTorch, refused with
//! `InvalidArgument` as its kernels do.

use crate::error::{KernelError, KernelResult, ensure};
use crate::tensor::{MAX_RANK, TensorMeta, TensorMut};
use smallvec::SmallVec;

/// All tensors are contiguous, or all are channels-last with 4 or 5 dimensions.
///
/// # Errors
/// They are not.
pub(in crate::kernels) fn same_dim_order(tensors: &[&TensorMeta]) -> KernelResult {
    let channels_last = |t: &TensorMeta| t.rank() >= 4 && t.is_channels_last();
    let same =
        tensors.iter().all(|t| t.is_contiguous()) || tensors.iter().all(|t| channels_last(t));
    ensure!(
        same,
        "the tensors must all be contiguous or all channels-last, their dim orders are {:?}",
        tensors.iter().map(|t| t.dim_order()).collect::<SmallVec<[_; 4]>>()
    );
    Ok(())
}

/// Gives `out` the shape `sizes`.
///
/// # Errors
/// `out` cannot have it.
pub(in crate::kernels) fn resize(out: &mut TensorMut<'_>, sizes: &[i32]) -> KernelResult {
    out.resize(sizes).map_err(|error| KernelError::argument(error.message))
}

/// Gives `out` the shape of `input`, whose layout it must have.
///
/// # Errors
/// It has not, or cannot have the shape.
pub(in crate::kernels) fn like(input: &TensorMeta, out: &mut TensorMut<'_>) -> KernelResult {
    same_dim_order(&[input, out])?;
    resize(out, input.sizes())
}

/// Gives `out` the shape of `input`, whose type and layout it must have.
///
/// # Errors
/// It has not, or cannot have the shape.
pub(in crate::kernels) fn alike(input: &TensorMeta, out: &mut TensorMut<'_>) -> KernelResult {
    same_dtype(input, out)?;
    like(input, out)
}

/// Gives `out` the shape that all `inputs` broadcast to.
///
/// # Errors
/// There is none, or `out` cannot have it.
pub(in crate::kernels) fn resize_broadcast(
    out: &mut TensorMut<'_>,
    inputs: &[&TensorMeta],
) -> KernelResult {
    if let [first, rest @ ..] = inputs
        && rest.iter().all(|input| input.sizes() == first.sizes())
    {
        return resize(out, first.sizes());
    }
    let mut sizes: SmallVec<[i32; MAX_RANK]> = SmallVec::new();
    for input in inputs {
        let missing = input.rank().saturating_sub(sizes.len());
        sizes.insert_many(0, core::iter::repeat_n(1, missing));
        for (size, own) in sizes.iter_mut().rev().zip(input.sizes().iter().rev()) {
            ensure!(
                *own == *size || *own == 1 || *size == 1,
                "the shapes {:?} do not broadcast",
                inputs.iter().map(|t| t.sizes()).collect::<SmallVec<[_; 4]>>()
            );
            if *size == 1 {
                *size = *own;
            }
        }
    }
    resize(out, &sizes)
}

/// Both have the same type.
///
/// # Errors
/// They have not.
pub(in crate::kernels) fn same_dtype(a: &TensorMeta, b: &TensorMeta) -> KernelResult {
    let (a, b) = (a.scalar_type(), b.scalar_type());
    ensure!(a == b, "input and output must have the same type, they are {a} and {b}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use et_schema::ScalarType;
    use et_schema::pte::Dynamism;

    fn meta(sizes: &[i32], order: &[u8]) -> TensorMeta {
        TensorMeta::new(ScalarType::Float, sizes, order, Dynamism::DynamicBound).unwrap()
    }

    fn broadcast(inputs: &[&[i32]], bound: &[i32]) -> KernelResult<alloc::vec::Vec<i32>> {
        let inputs: alloc::vec::Vec<_> = inputs.iter().map(|sizes| meta(sizes, &[])).collect();
        let mut out = TensorMut { meta: &mut meta(bound, &[]), data: &mut [] };
        resize_broadcast(&mut out, &inputs.iter().collect::<alloc::vec::Vec<_>>())?;
        Ok(out.sizes().to_vec())
    }

    #[test]
    fn shapes_broadcast_from_the_last_dimension() {
        assert_eq!(broadcast(&[&[2, 1, 4], &[3, 1]], &[9, 9, 9]).unwrap(), [2, 3, 4]);
        assert_eq!(broadcast(&[&[], &[0], &[1]], &[9]).unwrap(), [0]);
        assert_eq!(broadcast(&[&[1], &[], &[5, 1]], &[9, 9]).unwrap(), [5, 1]);
        assert!(broadcast(&[&[2], &[3]], &[9]).is_err());
        assert!(broadcast(&[&[3], &[0]], &[9]).is_err());
    }

    #[test]
    fn orders_must_be_contiguous_or_channels_last_alike() {
        let (plain, last) = (meta(&[1, 2, 3, 4], &[]), meta(&[1, 2, 3, 4], &[0, 2, 3, 1]));
        let column_major = meta(&[2, 3], &[1, 0]);
        assert!(same_dim_order(&[&plain, &plain]).is_ok());
        assert!(same_dim_order(&[&last, &last]).is_ok());
        assert!(same_dim_order(&[&plain, &last]).is_err());
        assert!(same_dim_order(&[&column_major, &column_major]).is_err());
    }
}
