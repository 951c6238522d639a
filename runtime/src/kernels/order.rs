//! What ExecuTorch's kernels make of tensors that are not in plain order, such
//! as channels-last ones.
//!
//! Most heed the dim order, and some refuse all but the plain one. But many of
//! those that move elements check only that the orders agree, and then take
//! memory for that of plain tensors; and all that broadcast write their result
//! as if the output were plain. PyTorch's result is another. A program must
//! get here what it gets on the device, so the rules are those of ExecuTorch
//! 1.5.1, each seen in its answers (`scripts/kernel_references.py`).

use super::Outs;
use crate::error::{KernelResult, ensure};
use crate::tensor::{TensorMeta, TensorMut};
use alloc::vec::Vec;
use et_schema::ScalarType;
use smallvec::SmallVec;

/// How an operator's kernel takes dim orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// By the dim order of each tensor.
    Heeded,
    /// Refuses all but the plain one.
    Plain,
    /// Takes memory for that of plain tensors; `agreeing` if all orders must be the same.
    Overlooked { agreeing: bool },
    /// Writes a plain result where shapes are broadcast; `optimized` if the
    /// kernel is the optimized library's, which knows two ways around.
    Broadcast { optimized: bool },
}

/// What a call with tensors in other than plain order comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    /// The kernel heeds the orders.
    AsIs,
    /// The kernel sees plain tensors.
    AsPlain,
    /// The kernel heeds the orders, and its result is then laid out plain.
    WrittenPlain,
}

/// The rule of an operator, by its full name.
pub(crate) fn of(operator: &str) -> Order {
    match operator.strip_prefix("aten::").unwrap_or_default() {
        "_adaptive_avg_pool2d.out"
        | "_native_batch_norm_legit.no_stats_out"
        | "_native_batch_norm_legit.out"
        | "_native_batch_norm_legit_no_training.out"
        | "avg_pool2d.out"
        | "expand_copy.out"
        | "full_like.out"
        | "grid_sampler_2d.out"
        | "index.Tensor_out"
        | "index_put.out"
        | "index_select.out"
        | "max.dim_max"
        | "mean.out"
        | "min.dim_min"
        | "native_group_norm.out"
        | "pixel_shuffle.out"
        | "pixel_unshuffle.out"
        | "reflection_pad1d.out"
        | "reflection_pad2d.out"
        | "reflection_pad3d.out"
        | "repeat.out"
        | "stack.out"
        | "sum.IntList_out"
        | "tril.out"
        | "unfold_copy.out" => Order::Plain,
        "cat.out"
        | "constant_pad_nd.out"
        | "cumsum.out"
        | "flip.out"
        | "permute_copy.out"
        | "roll.out"
        | "slice_copy.Tensor_out"
        | "slice_scatter.out"
        | "split_copy.Tensor_out"
        | "split_with_sizes_copy.out" => Order::Overlooked { agreeing: true },
        "gather.out"
        | "narrow_copy.out"
        | "replication_pad1d.out"
        | "replication_pad2d.out"
        | "replication_pad3d.out"
        | "scatter.src_out"
        | "scatter.value_out"
        | "scatter_add.out"
        | "unsqueeze_copy.out" => Order::Overlooked { agreeing: false },
        "add.out" | "sub.out" | "mul.out" | "div.out" => Order::Broadcast { optimized: true },
        "atan2.out"
        | "bitwise_and.Tensor_out"
        | "bitwise_left_shift.Tensor_out"
        | "bitwise_or.Tensor_out"
        | "bitwise_right_shift.Tensor_out"
        | "bitwise_xor.Tensor_out"
        | "clamp.Tensor_out"
        | "copy.out"
        | "div.out_mode"
        | "eq.Tensor_out"
        | "floor_divide.out"
        | "fmod.Tensor_out"
        | "ge.Tensor_out"
        | "gt.Tensor_out"
        | "le.Tensor_out"
        | "logical_and.out"
        | "logical_or.out"
        | "logical_xor.out"
        | "lt.Tensor_out"
        | "masked_fill.Scalar_out"
        | "maximum.out"
        | "minimum.out"
        | "ne.Tensor_out"
        | "pow.Tensor_Tensor_out"
        | "remainder.Tensor_out"
        | "where.self_out" => Order::Broadcast { optimized: false },
        _ => Order::Heeded,
    }
}

impl Order {
    /// What becomes of a call with these inputs and outputs.
    ///
    /// # Errors
    /// Orders that the kernel refuses.
    pub(crate) fn treatment(
        self,
        inputs: &[&TensorMeta],
        outs: &[&TensorMeta],
    ) -> KernelResult<Treatment> {
        let mut all = inputs.iter().chain(outs);
        if all.clone().all(|meta| meta.is_contiguous()) {
            return Ok(Treatment::AsIs);
        }
        match self {
            Order::Heeded => Ok(Treatment::AsIs),
            Order::Plain => {
                ensure!(false, "a tensor in other than plain dim order");
                Ok(Treatment::AsIs)
            }
            Order::Overlooked { agreeing } => {
                let agree = !agreeing || all.all(|meta| meta.is_channels_last());
                ensure!(agree, "tensors of different dim orders");
                Ok(Treatment::AsPlain)
            }
            Order::Broadcast { optimized } => Ok(broadcast(inputs, outs, optimized)),
        }
    }
}

fn broadcast(inputs: &[&TensorMeta], outs: &[&TensorMeta], optimized: bool) -> Treatment {
    let Some((first, rest)) = inputs.split_first() else { return Treatment::AsIs };
    if rest.iter().all(|meta| meta.sizes() == first.sizes()) {
        return Treatment::AsIs;
    }
    let one_type = inputs.iter().chain(outs).all(|m| m.scalar_type() == first.scalar_type());
    if let (true, [other]) = (optimized, rest) {
        if first.numel() == 1 || other.numel() == 1 {
            return Treatment::AsIs;
        }
        let half = matches!(first.scalar_type(), ScalarType::Half | ScalarType::BFloat16);
        if one_type && !half && differs_in_one_inner_dimension(first, other) {
            return Treatment::AsPlain;
        }
    }
    Treatment::WrittenPlain
}

fn differs_in_one_inner_dimension(a: &TensorMeta, b: &TensorMeta) -> bool {
    let mut differing = (0..a.rank()).filter(|dim| a.size(*dim) != b.size(*dim));
    a.rank() == b.rank() && differing.next().is_some_and(|d| d > 0) && differing.next().is_none()
}

/// Runs a kernel that takes the outputs for plain ones; their order stays what it is.
///
/// # Errors
/// Those of the kernel.
pub(crate) fn with_plain_outs(
    outs: &mut Outs<'_>,
    kernel: impl FnOnce(&mut Outs<'_>) -> KernelResult,
) -> KernelResult {
    let originals: SmallVec<[TensorMeta; 4]> = outs.iter().map(|out| out.meta.clone()).collect();
    for out in outs.iter_mut() {
        out.meta = out.meta.plain()?;
    }
    kernel(outs)?;
    for (out, mut meta) in outs.iter_mut().zip(originals) {
        meta.resize(out.meta.sizes())?;
        out.meta = meta;
    }
    Ok(())
}

/// Lays the elements out in plain order, though the tensor says otherwise.
///
/// # Errors
/// The tensor has no memory.
pub(crate) fn write_plain(out: &mut TensorMut<'_>) -> KernelResult {
    let size = out.meta.scalar_type().size();
    let strides: Vec<usize> = out.meta.strides().iter().map(|s| *s as usize).collect();
    let sizes: Vec<usize> = out.meta.sizes().iter().map(|s| *s as usize).collect();
    let bytes = out.bytes_mut()?;
    let heeded = bytes.to_vec();
    let mut index = alloc::vec![0usize; sizes.len()];
    for element in bytes.chunks_exact_mut(size) {
        let offset: usize = index.iter().zip(&strides).map(|(i, s)| i * s).sum();
        element.copy_from_slice(&heeded[offset * size..][..size]);
        for dim in (0..sizes.len()).rev() {
            index[dim] += 1;
            if index[dim] < sizes[dim] {
                break;
            }
            index[dim] = 0;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use et_schema::pte::Dynamism;

    fn meta(sizes: &[i32], order: &[u8]) -> TensorMeta {
        TensorMeta::new(ScalarType::Float, sizes, order, Dynamism::Static).unwrap()
    }

    const LAST: &[u8] = &[0, 2, 3, 1];

    #[test]
    fn plain_tensors_are_taken_as_they_are() {
        let plain = meta(&[2, 4, 3, 3], &[]);
        for operator in ["aten::cat.out", "aten::mul.out", "aten::avg_pool2d.out"] {
            let treatment = of(operator).treatment(&[&plain, &plain], &[&plain]);
            assert_eq!(treatment, Ok(Treatment::AsIs), "{operator}");
        }
    }

    #[test]
    fn scale_of_a_channel_is_written_plain() {
        let (image, scale) = (meta(&[2, 4, 3, 3], LAST), meta(&[2, 4, 1, 1], LAST));
        for operator in ["aten::mul.out", "aten::minimum.out"] {
            let treatment = of(operator).treatment(&[&image, &scale], &[&image]);
            assert_eq!(treatment, Ok(Treatment::WrittenPlain), "{operator}");
        }
        let same = of("aten::mul.out").treatment(&[&image, &image], &[&image]);
        assert_eq!(same, Ok(Treatment::AsIs));
    }

    #[test]
    fn one_broadcast_dimension_goes_another_way_in_the_optimized_library() {
        let (image, row) = (meta(&[2, 4, 3, 3], LAST), meta(&[2, 4, 3, 1], LAST));
        let mul = of("aten::mul.out").treatment(&[&image, &row], &[&image]);
        assert_eq!(mul, Ok(Treatment::AsPlain));
        let minimum = of("aten::minimum.out").treatment(&[&image, &row], &[&image]);
        assert_eq!(minimum, Ok(Treatment::WrittenPlain));
    }

    #[test]
    fn orders_that_differ_are_refused_where_they_must_agree() {
        let (last, plain) = (meta(&[2, 4, 3, 3], LAST), meta(&[2, 4, 3, 3], &[]));
        assert!(of("aten::flip.out").treatment(&[&last], &[&plain]).is_err());
        assert!(of("aten::gather.out").treatment(&[&last], &[&plain]).is_ok());
        assert!(of("aten::stack.out").treatment(&[&last], &[&last]).is_err());
    }

    #[test]
    fn elements_are_laid_out_anew() {
        let mut data: Vec<u8> =
            [0f32, 3., 1., 4., 2., 5.].iter().flat_map(|v| v.to_le_bytes()).collect();
        let mut out = TensorMut { meta: meta(&[1, 2, 1, 3], LAST), data: &mut data };
        write_plain(&mut out).unwrap();
        let wanted: Vec<u8> =
            [0f32, 1., 2., 3., 4., 5.].iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(data, wanted);
    }
}
